import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Readable } from 'node:stream';

/** Bytes of unread lines kept in memory. Further lines go to a temporary file. */
const MAX_MEMORY_BYTES = 1024 * 1024;
const READ_BYTES = 64 * 1024;

/**
 * The lines of an NDJSON response that is sent during the upload. A client may upload everything before it reads
 * anything. Waiting for it to read would deadlock both sides, and keeping its lines in memory would be unbounded.
 * Unread lines therefore go to a temporary file and are sent from there.
 */
export class ResultLines extends Readable {
  private memory: Buffer[] = [];
  private memoryBytes = 0;
  private file: number | undefined;
  private written = 0;
  private sent = 0;
  private complete = false;
  private wanted = false;

  /** Adds one line. */
  line(value: Record<string, unknown>): void {
    if (this.destroyed) return; // the client is gone; its records are still stored
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    if (this.file !== undefined || this.memoryBytes + bytes.length > MAX_MEMORY_BYTES) this.spill(bytes);
    else {
      this.memory.push(bytes);
      this.memoryBytes += bytes.length;
    }
    if (this.wanted) this._read();
  }

  /** Marks the response as complete. */
  end(): void {
    this.complete = true;
    if (this.wanted) this._read();
  }

  override _read(): void {
    const next = this.nextFromMemory() ?? this.nextFromFile();
    this.wanted = next === undefined && !this.complete;
    if (next !== undefined) this.push(next);
    else if (this.complete) this.push(null);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.closeFile();
    this.memory = [];
    done(error);
  }

  private nextFromMemory(): Buffer | undefined {
    if (this.memory.length === 0) return undefined;
    const bytes = Buffer.concat(this.memory);
    this.memory = [];
    this.memoryBytes = 0;
    return bytes;
  }

  private nextFromFile(): Buffer | undefined {
    if (this.file === undefined) return undefined;
    const bytes = Buffer.allocUnsafe(Math.min(READ_BYTES, this.written - this.sent));
    this.sent += fs.readSync(this.file, bytes, 0, bytes.length, this.sent);
    if (this.sent === this.written) this.closeFile(); // the reader has caught up: use memory again
    return bytes;
  }

  private spill(bytes: Buffer): void {
    if (this.file === undefined) {
      const name = path.join(
        os.tmpdir(),
        `streamforge-response-${process.pid}-${Date.now()}-${Math.random().toString(36).slice(2)}`,
      );
      this.file = fs.openSync(name, 'wx+', 0o600);
      fs.unlinkSync(name); // the file exists until it is closed
    }
    this.written += fs.writeSync(this.file, bytes, 0, bytes.length, this.written);
  }

  private closeFile(): void {
    if (this.file !== undefined) fs.closeSync(this.file);
    this.file = undefined;
    this.written = 0;
    this.sent = 0;
  }
}
