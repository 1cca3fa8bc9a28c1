import type { NewRejection } from './rejection';

/** Limits of the queue. A request that finds it empty may exceed them. */
const MAX_QUEUED_ROWS = 10_000;
const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
const MAX_BATCH_ROWS = 500;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

export interface QueuedRejection {
  rejection: NewRejection;
  bytes: number;
  caller: KeepCaller;
}

/** Who waits for rejections. */
export interface KeepCaller {
  /** Number of its rows that are not committed yet. */
  open: number;
  failed: boolean;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Rejections that wait to be written. The number of rows and of their bytes is bounded. */
export class RejectionQueue {
  private rows: QueuedRejection[] = [];
  private bytes = 0;

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  /** @param part how much of the queue may be full afterwards */
  hasRoom(rows: number, bytes: number, part = 1): boolean {
    if (this.isEmpty) return true;
    return this.rows.length + rows <= MAX_QUEUED_ROWS * part && this.bytes + bytes <= MAX_QUEUED_BYTES * part;
  }

  add(rejection: NewRejection, caller: KeepCaller): void {
    const bytes = rejectionBytes(rejection);
    this.rows.push({ rejection, bytes, caller });
    this.bytes += bytes;
  }

  /** Removes and returns the rows of the next statement. */
  take(): QueuedRejection[] {
    let bytes = 0;
    let count = 0;
    for (const row of this.rows) {
      if (count === MAX_BATCH_ROWS || (count > 0 && bytes + row.bytes > MAX_BATCH_BYTES)) break;
      bytes += row.bytes;
      count += 1;
    }
    const batch = this.rows.slice(0, count);
    this.rows = this.rows.slice(count);
    this.bytes -= bytes;
    return batch;
  }
}

export const rejectionBytes = ({ body, requestJson, pointer, message }: NewRejection): number =>
  body.length + (requestJson?.length ?? 0) + (pointer?.length ?? 0) + message.length;
