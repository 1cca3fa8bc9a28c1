import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { classifyPgError } from '../db/pg-errors';
import { Problem } from '../event/problems';
import type { NewRejection } from './rejection';
import { insertRejections } from './rejections.queries';

/** Limits of the queue. A request that finds it empty may exceed them. */
const MAX_QUEUED_ROWS = 10_000;
const MAX_QUEUED_BYTES = 32 * 1024 * 1024;
const MAX_BATCH_ROWS = 500;
const MAX_BATCH_BYTES = 8 * 1024 * 1024;

interface Row {
  rejection: NewRejection;
  bytes: number;
  caller: Caller;
}

interface Caller {
  /** Number of its rows that are not committed yet. */
  open: number;
  failed: boolean;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Keeps what was refused. Concurrent callers share a statement: while one runs, the next batch collects. A burst of bad
 * requests therefore takes one connection, and the room for it is bounded.
 */
@Injectable()
export class RejectionStore {
  private queue: Row[] = [];
  private queuedBytes = 0;
  private writing = false;

  constructor(
    private readonly pool: Pool,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'MAX_EVENT_BYTES'>,
  ) {}

  /**
   * Resolves after the commit. If it fails, some of the rejections may be stored.
   * @throws Problem `overloaded` when too many are waiting, `storage-unavailable` without PostgreSQL
   */
  keep(rejections: readonly NewRejection[]): Promise<void> {
    if (rejections.length === 0) return Promise.resolve();
    const bytes = rejections.reduce((sum, rejection) => sum + bytesOf(rejection), 0);
    if (!this.hasRoom(rejections.length, bytes)) throw overloaded();
    return new Promise((resolve, reject) => {
      const caller = { open: rejections.length, failed: false, resolve, reject };
      for (const rejection of rejections) this.queue.push({ rejection, bytes: bytesOf(rejection), caller });
      this.queuedBytes += bytes;
      if (!this.writing) void this.writeAll();
    });
  }

  private hasRoom(rows: number, bytes: number): boolean {
    if (this.queue.length === 0) return true;
    return this.queue.length + rows <= MAX_QUEUED_ROWS && this.queuedBytes + bytes <= MAX_QUEUED_BYTES;
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.queue.length > 0) {
      const batch = this.take().filter(({ caller }) => !caller.failed);
      if (batch.length > 0) await this.write(batch);
    }
    this.writing = false;
  }

  private take(): Row[] {
    let bytes = 0;
    let count = 0;
    for (const row of this.queue) {
      if (count === MAX_BATCH_ROWS || (count > 0 && bytes + row.bytes > MAX_BATCH_BYTES)) break;
      bytes += row.bytes;
      count += 1;
    }
    const batch = this.queue.slice(0, count);
    this.queue = this.queue.slice(count);
    this.queuedBytes -= bytes;
    return batch;
  }

  private async write(batch: readonly Row[]): Promise<void> {
    const callers = [...new Set(batch.map(({ caller }) => caller))];
    try {
      await this.insert(batch);
      for (const { caller } of batch) if (--caller.open === 0) caller.resolve();
    } catch (error) {
      if (classifyPgError(error) === 'data' && callers.length > 1) {
        // Only the request with the row that PostgreSQL refuses fails.
        for (const one of callers) await this.write(batch.filter(({ caller }) => caller === one));
        return;
      }
      for (const caller of callers) fail(caller, error);
    }
  }

  /** A deadlock or a lock timeout has stored nothing, so the statement is repeated once. */
  private async insert(batch: readonly Row[]): Promise<void> {
    const rejections = batch.map(({ rejection }) => rejection);
    const { MAX_EVENT_BYTES } = this.settings;
    try {
      await insertRejections(this.pool, rejections, MAX_EVENT_BYTES);
    } catch (error) {
      if (classifyPgError(error) !== 'transient') throw error;
      await insertRejections(this.pool, rejections, MAX_EVENT_BYTES);
    }
  }
}

const bytesOf = ({ body, requestJson }: NewRejection): number => body.length + (requestJson?.length ?? 0);

function fail(caller: Caller, error: unknown): void {
  caller.failed = true;
  const failure = classifyPgError(error);
  caller.reject(failure === 'unavailable' || failure === 'transient' ? unavailable() : error);
}

function overloaded(): Problem {
  const detail = 'Too many rejected records are waiting to be stored. Send the request again later.';
  return new Problem('overloaded', detail, { retryAfterSeconds: 1 });
}

function unavailable(): Problem {
  return new Problem('storage-unavailable', 'The rejected record cannot be kept because the database is unavailable.', {
    retryAfterSeconds: 2,
  });
}
