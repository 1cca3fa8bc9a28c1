import { createWriteStream, type WriteStream } from 'node:fs';

/** What an answer of 2xx said of one event. A summary of a stream names no ids. */
export interface Acknowledged {
  name: string;
  id?: string;
}

/** What clients and the receiver saw, as it happened. Nothing of it comes from inside StreamForge. */
export type Entry = { atMs: number } & (
  | { kind: 'sent'; request: number; to: string; names: string[] }
  | { kind: 'answered'; request: number; status: number; acknowledged: Acknowledged[] }
  | { kind: 'unanswered'; request: number; reason: string; acknowledged: Acknowledged[] }
  /** An answer that no outage explains. */
  | { kind: 'strange'; request: number; status: number; text: string }
  | { kind: 'replay'; tenant: string; status: number | undefined; replayId: string | undefined; reason: string }
  /** At the receiver: `status` is what it answered; undefined where it broke the connection or kept silent. */
  | { kind: 'delivered'; webhookId: string; name: string; payloadText: string; status: number | undefined }
  | { kind: 'fault'; text: string }
  /** A process of ours ended though nobody killed it. */
  | { kind: 'crashed'; process: string; output: string }
);

export type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { kind: Kind }>;
type Unstamped<E> = E extends unknown ? Omit<E, 'atMs'> : never;

/** Append-only, in memory for the oracle and in a file for whoever has to find out what happened. */
export class Journal {
  readonly entries: Entry[] = [];
  private readonly startedMs = Date.now();
  private readonly file: WriteStream;
  private requests = 0;

  constructor(path: string) {
    this.file = createWriteStream(path);
  }

  append(entry: Unstamped<Entry>): void {
    const stamped = { atMs: Date.now() - this.startedMs, ...entry };
    this.entries.push(stamped);
    this.file.write(`${JSON.stringify(stamped)}\n`);
  }

  nextRequest(): number {
    return this.requests++;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.file.end(resolve));
  }
}

export function entriesOf<Kind extends Entry['kind']>(entries: readonly Entry[], kind: Kind): EntryOf<Kind>[] {
  return entries.filter((entry): entry is EntryOf<Kind> => entry.kind === kind);
}
