import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { inTransaction } from '../../db/pool';
import { Problem } from '../../event/problems';

/**
 * Ingest shares this pool of ten connections. Without a bound, ten bulk changes could hold all of them, and the batch
 * writer would wait for its one connection.
 */
const MOST_AT_ONCE = 4;
/** The same time for which the pool waits for a connection. */
const MOST_WAIT_MS = 5_000;

/** Runs the transactions of the admin endpoints, at most MOST_AT_ONCE at a time. Others wait in order of arrival. */
@Injectable()
export class AdminTransactions {
  private free = MOST_AT_ONCE;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly pool: Pool) {}

  /**
   * Commits when `work` returns, rolls back when it throws.
   * @throws Problem `storage-unavailable` after a wait of MOST_WAIT_MS
   */
  async run<T>(work: (db: PoolClient) => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await inTransaction(this.pool, work);
    } finally {
      this.leave();
    }
  }

  private enter(): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const start = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.waiting.splice(this.waiting.indexOf(start), 1);
        reject(
          new Problem('storage-unavailable', 'Too many admin changes are in progress. Try again later.', {
            retryAfterSeconds: 1,
          }),
        );
      }, MOST_WAIT_MS);
      this.waiting.push(start);
    });
  }

  private leave(): void {
    const start = this.waiting.shift();
    if (start) start();
    else this.free += 1;
  }
}
