import { Logger } from '@nestjs/common';
import type { Pool } from 'pg';
import { inTransaction } from '../../../db/pool';
import {
  analyzeColumns,
  cancelStatement,
  claimStatistics,
  countStatisticsFailure,
  endWithStatistics,
  listTablesWithValues,
  moveStatistics,
  readBackendPid,
  type TableWithValues,
} from './statistics.queries';

/** For one table. The partitions of a partitioned table are read with it. */
const MOST_ANALYZE_MS = 300_000;
/** Longer than one table may take. The claim is extended after each. */
const CLAIM_SECONDS = 2 * (MOST_ANALYZE_MS / 1_000);
/** Erasures that one renewal ends. */
const MOST_CLAIMED = 100;
export const MOST_FAILURES = 5;
const WAIT_AFTER_FAILURE_SECONDS = 30;

/**
 * The last part of an erasure: renews the statistics that PostgreSQL keeps of columns with content, so that they hold no
 * values of rows that are erased. One renewal serves all erasures that wait for it. Each table is a transaction of its own.
 */
export class StatisticsRenewal {
  private readonly logger = new Logger('Erasures');
  private pid: number | undefined;
  private isStopping = false;

  constructor(private readonly pool: Pool) {}

  /** Ends the erasures that wait for statistics. A renewal that fails is repeated later, up to MOST_FAILURES times. */
  async runOnce(): Promise<void> {
    const ids = await claimStatistics(this.pool, CLAIM_SECONDS, MOST_CLAIMED);
    if (ids.length === 0) return;
    try {
      const isDone = await this.renew(ids);
      for (const id of ids)
        await (isDone ? endWithStatistics(this.pool, id, 'RENEWED') : moveStatistics(this.pool, id, 0));
    } catch (error) {
      await this.postpone(ids, error);
    }
  }

  /** Cancels the statement that runs, and starts no other. */
  async stop(): Promise<void> {
    this.isStopping = true;
    if (this.pid === undefined) return;
    await cancelStatement(this.pool, this.pid).catch((error: unknown) =>
      this.logger.warn({ msg: 'an `analyze` could not be cancelled', err: error }),
    );
  }

  /** Returns false if it was stopped before the last table. */
  private async renew(ids: readonly string[]): Promise<boolean> {
    for (const table of await listTablesWithValues(this.pool)) {
      if (this.isStopping) return false;
      await this.analyze(table);
      for (const id of ids) await moveStatistics(this.pool, id, CLAIM_SECONDS);
    }
    return true;
  }

  private analyze(table: TableWithValues): Promise<void> {
    return inTransaction(this.pool, async (db) => {
      this.pid = await readBackendPid(db);
      try {
        if (this.isStopping) throw new Error('the process stops'); // `stop` knew no pid that it could cancel
        await analyzeColumns(db, table, MOST_ANALYZE_MS);
      } finally {
        this.pid = undefined;
      }
    });
  }

  private async postpone(ids: readonly string[], error: unknown): Promise<void> {
    if (this.isStopping) {
      for (const id of ids) await moveStatistics(this.pool, id, 0);
      return;
    }
    for (const id of ids) {
      const failures = await countStatisticsFailure(this.pool, id);
      if (failures < MOST_FAILURES) await moveStatistics(this.pool, id, WAIT_AFTER_FAILURE_SECONDS * failures);
      else await endWithStatistics(this.pool, id, 'FAILED');
      const then = failures < MOST_FAILURES ? 'is tried again' : 'is given up; run `analyze` on the database';
      this.logger.warn({ msg: `renewing the statistics after erasure ${id} failed and ${then}`, failures, err: error });
    }
  }
}
