/** One server-sent event. */
export interface StreamMessage {
  event: string;
  data: string;
}

/** Reads server-sent events from the pieces in which they come. Comments, ids and retry times are left out. */
export class EventStreamReader {
  private rest = '';

  /** Returns the messages that this piece completes. */
  read(piece: string): StreamMessage[] {
    const blocks = (this.rest + piece).split('\n\n');
    this.rest = blocks.pop() ?? '';
    return blocks.flatMap((block) => {
      const message = messageIn(block.split('\n'));
      return message === undefined ? [] : [message];
    });
  }
}

function messageIn(lines: readonly string[]): StreamMessage | undefined {
  const valuesOf = (name: string): string[] =>
    lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
  const data = valuesOf('data');
  return data.length === 0 ? undefined : { event: valuesOf('event').at(-1) ?? 'message', data: data.join('\n') };
}
