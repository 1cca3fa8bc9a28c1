import type { Writable } from 'node:stream';
import { prettyFactory } from 'pino-pretty';
import { withinDeadline } from '../runtime/deadline';

/** Characters of log lines that may wait until somebody reads them. Further lines are lost. */
const MOST_WAITING = 1_048_576;

/**
 * Writes log lines without ever waiting for their reader. A pipe or a terminal that nobody reads takes only some
 * kilobytes. Further lines wait in memory up to a bound; what is beyond is lost and counted, and so is a line that the
 * system refuses, such as on a full disk. A line says how many were lost as soon as lines are taken again.
 */
export class LogOutput {
  private lost = 0;
  private reported = 0;

  /** @param format turns a line of JSON into what is written */
  constructor(
    private readonly stream: Writable,
    private readonly format: (line: string) => string = (line) => line,
  ) {
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined); // `written` counts the line
  }

  /** Lines that could not be written since the start of the process. */
  get lostLines(): number {
    return this.lost;
  }

  /** Writes one line of JSON with its line break. */
  write(line: string): void {
    if (this.stream.writableLength > MOST_WAITING) {
      this.lost += 1;
      return;
    }
    if (this.lost > this.reported) {
      this.send(lostLine(this.lost - this.reported));
      this.reported = this.lost;
    }
    this.send(line);
  }

  /** Resolves when every line has been written or is lost, or after `ms`. */
  async flushed(ms: number): Promise<void> {
    if (this.stream.writableLength === 0) return;
    const written = new Promise<'written'>((resolve) => this.stream.write('', () => resolve('written')));
    await withinDeadline(ms, written).catch(() => undefined); // nobody reads: the rest is lost
  }

  private send(line: string): void {
    this.stream.write(this.format(line), this.written);
  }

  private readonly written = (error?: Error | null): void => {
    if (error) this.lost += 1;
  };
}

const lostLine = (count: number): string =>
  `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), context: 'Log', msg: 'log.lines-lost', count })}\n`;

/** Node waits in each write to a terminal, for ever if its output is stopped (Ctrl-S). Pipes never wait. */
function withoutWaiting(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (blocking: boolean) => void } };
  if (stream.isTTY) handle?.setBlocking?.(false);
  return stream;
}

const pretty = (): ((line: string) => string) => {
  const format = prettyFactory({ singleLine: true, ignore: 'role', colorize: true });
  return (line) => String(format(line));
};

/** The log of this process. */
export const stdoutLog = new LogOutput(withoutWaiting(process.stdout), process.stdout.isTTY ? pretty() : undefined);
