import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { classifyPgError } from '../../db/pg-errors';
import { inTransaction } from '../../db/pool';
import { Problem } from '../../event/problems';
import { decideRepeat } from './decide-repeat';

/**
 * Ingest shares this pool of ten connections. Without a bound, ten bulk changes could hold all of them, and the batch
 * writer would wait for its one connection.
 */
const MOST_AT_ONCE = 4;
/** The same time for which the pool waits for a connection. */
const MOST_WAIT_MS = 5_000;

/** The connection was lost at a commit, and could not be restored to find out what became of it. */
export class UnknownCommitError extends Error {}

/** Runs the transactions of the admin endpoints, at most MOST_AT_ONCE at a time. Others wait in order of arrival. */
@Injectable()
export class AdminTransactions {
  private free = MOST_AT_ONCE;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly pool: Pool) {}

  /**
   * Commits when `work` returns, rolls back when it throws. Runs `work` again after a deadlock or a lost connection,
   * also when the connection was lost at a commit that may have succeeded. `work` must therefore find what an earlier
   * run has committed, and must not repeat it.
   * @throws Problem `storage-unavailable` after a wait of MOST_WAIT_MS
   * @throws UnknownCommitError when it is not known whether a run has committed
   */
  async run<T>(work: (db: PoolClient) => Promise<T>): Promise<T> {
    let commitUnknown = false;
    const once = async (): Promise<T> => {
      let atCommit = false;
      try {
        return await this.admitted(async (db) => {
          const result = await work(db);
          atCommit = true;
          return result;
        });
      } catch (error) {
        commitUnknown ||= atCommit;
        throw error;
      }
    };
    return repeated(once, () => commitUnknown);
  }

  /** Reads with the pool. Reads again after a lost connection. */
  read<T>(query: (db: Pool) => Promise<T>): Promise<T> {
    return repeated(
      () => query(this.pool),
      () => false,
    );
  }

  private async admitted<T>(work: (db: PoolClient) => Promise<T>): Promise<T> {
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

/** Repeats `once` as decideRepeat says. */
async function repeated<T>(once: () => Promise<T>, isCommitUnknown: () => boolean): Promise<T> {
  const startedMs = performance.now();
  for (let runs = 1; ; runs++) {
    try {
      return await once();
    } catch (error) {
      const commitUnknown = isCommitUnknown();
      const elapsedMs = performance.now() - startedMs;
      const failure = classifyPgError(error);
      const waitMs = decideRepeat({ failure, runs, elapsedMs, commitUnknown, random: Math.random() });
      if (waitMs === undefined) throw commitUnknown ? new UnknownCommitError('commit', { cause: error }) : error;
      await sleep(waitMs);
    }
  }
}
