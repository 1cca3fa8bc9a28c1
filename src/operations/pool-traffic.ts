import type { Pool } from 'pg';

/** Longer than a statement of the hot path takes in a database that is busy. */
const RECENT_MS = 5_000;

/** Tells a pool whose connections are all in use from a database that does not answer. */
export class PoolTraffic {
  private answeredAtMs = -Infinity;

  constructor(private readonly pool: Pool) {
    // Without an error, PostgreSQL has answered the last statement of whoever used the connection.
    pool.on('release', (error: Error | undefined) => {
      if (!error) this.answeredAtMs = performance.now();
    });
  }

  /** True if every connection is in use, and one of them has come back within the last seconds. */
  isBusy(nowMs = performance.now()): boolean {
    const { totalCount, idleCount, options } = this.pool;
    return totalCount >= options.max && idleCount === 0 && nowMs - this.answeredAtMs < RECENT_MS;
  }
}
