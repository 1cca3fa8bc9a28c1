import * as fs from 'node:fs';

const READ_BYTES = 64 * 1024;

/** The share of the disk space that a file may use. */
export interface SpillSpace {
  /** False when there is no space left. */
  reserve: (bytes: number) => boolean;
  release: (bytes: number) => void;
  /** Called when the disk fails. */
  onFailure: (error: unknown) => void;
}

/** A file that is written at its end and read from its beginning. */
export class SpillFile {
  private writtenBytes = 0;
  private readBytes = 0;
  private hasFailed = false;

  constructor(
    private readonly descriptor: number,
    private readonly space: SpillSpace,
  ) {}

  /** Everything that was written has been read. */
  get isRead(): boolean {
    return this.readBytes === this.writtenBytes;
  }

  /** Returns false, and keeps nothing of `bytes`, when the space is used up or the disk refuses them. */
  append(bytes: Buffer): boolean {
    if (this.hasFailed || !this.space.reserve(bytes.length)) return false;
    try {
      for (let done = 0; done < bytes.length;) {
        done += fs.writeSync(this.descriptor, bytes, done, bytes.length - done, this.writtenBytes + done);
      }
    } catch (error) {
      this.hasFailed = true; // a full disk would refuse every further line
      this.space.release(bytes.length);
      this.space.onFailure(error);
      return false;
    }
    this.writtenBytes += bytes.length;
    return true;
  }

  /** Returns the next bytes. @throws Error when the disk fails */
  read(): Buffer {
    const bytes = Buffer.allocUnsafe(Math.min(READ_BYTES, this.writtenBytes - this.readBytes));
    try {
      const count = fs.readSync(this.descriptor, bytes, 0, bytes.length, this.readBytes);
      if (count === 0) throw new Error(`the file ends after ${this.readBytes} of ${this.writtenBytes} bytes`);
      this.readBytes += count;
      return bytes.subarray(0, count);
    } catch (error) {
      this.space.onFailure(error);
      throw error;
    }
  }

  close(): void {
    fs.closeSync(this.descriptor);
    this.space.release(this.writtenBytes);
  }
}
