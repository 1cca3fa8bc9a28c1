import { Readable } from 'node:stream';
import { Problem } from '../../event/problems';
import { LineQueue } from './line-queue';
import type { SpillFile } from './spill-file';

/** Bytes of unread lines that a stream keeps in memory before it uses a file. */
export const MEMORY_BYTES = 256 * 1024;

/** The last line of a response. */
export type LastLine = (lost: Problem | undefined) => Record<string, unknown>;

/**
 * The lines of an NDJSON response that is sent during the upload. A client may upload everything before it reads
 * anything, so unread lines are kept: the first of them in memory, the next ones in a file. When neither has room, the
 * stream waits for its reader (`room`), which bounds both. Order: `before`, then the file, then `after`.
 */
export class ResultLines extends Readable {
  private readonly before = new LineQueue();
  private readonly after = new LineQueue();
  private file: SpillFile | undefined;
  /** The file has failed to give lines back. No further line is sent but the last one. */
  private lost: Problem | undefined;
  private last: LastLine | undefined;
  private wanted = false;
  private refusal: Problem | undefined;
  private wakeUp: () => void = () => undefined;

  /** @param spill opens the file; undefined where there is no place for one */
  constructor(private readonly spill: () => SpillFile | undefined) {
    super();
  }

  /** Adds one line. */
  line(value: Record<string, unknown>): void {
    if (this.destroyed || this.lost) return; // the client is gone, or cannot be told; the records are stored
    const bytes = bytesOf(value);
    if (!this.file && this.after.bytes === 0 && this.before.bytes + bytes.length <= MEMORY_BYTES)
      this.before.add(bytes);
    else if (this.after.bytes > 0 || !this.spilled(bytes)) this.after.add(bytes);
    if (this.wanted) this._read();
  }

  /**
   * Resolves when there is room for more lines. Without room, the caller must not add more than it has at hand.
   *
   * @throws Problem when lines were lost, or when the process cannot wait
   */
  async room(): Promise<void> {
    while (this.after.bytes > 0 && !this.destroyed) {
      if (this.refusal) throw this.refusal;
      await new Promise<void>((resolve) => (this.wakeUp = resolve));
    }
    if (this.lost) throw this.lost;
  }

  /** From now on, `room` does not wait. */
  refuseToWait(problem: Problem): void {
    this.refusal ??= problem;
    this.wakeUp();
  }

  /** Completes the response with its last line, which is made when it is sent. */
  end(last: LastLine): void {
    this.last = last;
    if (this.wanted) this._read();
  }

  override _read(): void {
    const next = this.before.take() ?? this.fromFile() ?? this.after.take();
    this.wanted = next === undefined && !this.last;
    if (this.after.bytes === 0) this.wakeUp();
    if (next !== undefined) {
      this.push(next);
    } else if (this.last) {
      this.push(bytesOf(this.last(this.lost)));
      this.push(null);
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.closeFile();
    this.before.clear();
    this.after.clear();
    this.wakeUp();
    done(error);
  }

  private spilled(bytes: Buffer): boolean {
    this.file ??= this.spill();
    return this.file?.append(bytes) === true;
  }

  private fromFile(): Buffer | undefined {
    if (!this.file) return undefined;
    if (this.file.isRead) return this.closeFile(); // nothing could be written to it
    try {
      const bytes = this.file.read();
      if (this.file.isRead) this.closeFile(); // the reader has caught up: use memory again
      return bytes;
    } catch {
      // SpillFile has reported the error.
      this.lost = new Problem(
        'internal-error',
        'The results of some records were lost. The records before `lastCommittedRecord` are stored.',
      );
      this.after.clear();
      return this.closeFile();
    }
  }

  private closeFile(): undefined {
    this.file?.close();
    this.file = undefined;
  }
}

const bytesOf = (value: Record<string, unknown>): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
