/** Bytes that are handed on at a time. What is handed on is held by the socket and no longer by the queue. */
const TAKEN_BYTES = 64 * 1024;

/** Lines in memory, first in, first out. */
export class LineQueue {
  private lines: Buffer[] = [];
  private first = 0;
  bytes = 0;

  add(line: Buffer): void {
    this.lines.push(line);
    this.bytes += line.length;
  }

  /** Takes lines of about 64 kB in one buffer. Undefined when there is none. */
  take(): Buffer | undefined {
    if (this.bytes === 0) return undefined;
    const begin = this.first;
    let taken = 0;
    while (this.first < this.lines.length && taken < TAKEN_BYTES) taken += (this.lines[this.first++] as Buffer).length;
    const bytes = Buffer.concat(this.lines.slice(begin, this.first), taken);
    this.bytes -= taken;
    if (this.bytes === 0) this.clear();
    return bytes;
  }

  clear(): void {
    this.lines = [];
    this.first = 0;
    this.bytes = 0;
  }
}
