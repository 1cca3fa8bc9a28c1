import { Inject, Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { classifyPgError } from '../db/pg-errors';
import { Problem } from '../event/problems';
import type { NewRejection } from './rejection';
import { insertRejections } from './rejections.queries';

const MAX_WAITING = 1_000;
const MAX_WAITING_BYTES = 32 * 1024 * 1024;
const MAX_BATCH = 100;

interface Waiting {
  rejections: readonly NewRejection[];
  bytes: number;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * Keeps what was refused. Concurrent callers share a statement: while one runs, the next batch collects. A burst of bad
 * requests therefore takes one connection, and the room for it is bounded.
 */
@Injectable()
export class RejectionStore {
  private waiting: Waiting[] = [];
  private waitingBytes = 0;
  private writing = false;

  constructor(
    private readonly pool: Pool,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'MAX_EVENT_BYTES'>,
  ) {}

  /**
   * Resolves after the commit.
   * @throws Problem `overloaded` when too many are waiting, `storage-unavailable` without PostgreSQL
   */
  keep(rejections: readonly NewRejection[]): Promise<void> {
    const bytes = rejections.reduce((sum, { body }) => sum + body.length, 0);
    if (this.waiting.length >= MAX_WAITING || this.waitingBytes + bytes > MAX_WAITING_BYTES) {
      throw new Problem(
        'overloaded',
        'Too many rejected records are waiting to be stored. Send the request again later.',
        {
          retryAfterSeconds: 1,
        },
      );
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ rejections, bytes, resolve, reject });
      this.waitingBytes += bytes;
      if (!this.writing) void this.writeAll();
    });
  }

  private async writeAll(): Promise<void> {
    this.writing = true;
    while (this.waiting.length > 0) await this.write(this.waiting.splice(0, MAX_BATCH));
    this.writing = false;
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    for (const { bytes } of batch) this.waitingBytes -= bytes;
    try {
      const all = batch.flatMap(({ rejections }) => rejections);
      await insertRejections(this.pool, all, this.settings.MAX_EVENT_BYTES);
      for (const { resolve } of batch) resolve();
    } catch (error) {
      const reason = classifyPgError(error) === 'unavailable' ? unavailable() : error;
      for (const { reject } of batch) reject(reason);
    }
  }
}

function unavailable(): Problem {
  return new Problem('storage-unavailable', 'The rejected record cannot be kept because the database is unavailable.', {
    retryAfterSeconds: 2,
  });
}
