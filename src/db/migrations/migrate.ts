import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../advisory-locks';
import { createDataSource } from './data-source';
import { classifyPgError } from '../pg-errors';

/**
 * Under load a migration may hit a deadlock or time out on a lock. It is then rolled back (TypeORM prints why) and run
 * again, up to this number of runs.
 */
const MOST_TRIES = 5;
const TRY_AGAIN_MS = 500;

/**
 * Brings the schema up to date and returns the names of the migrations that ran. Processes that start together take
 * turns through an advisory lock, so all but the first find nothing to do.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    const lockHolder = dataSource.createQueryRunner();
    await lockHolder.query('set lock_timeout = 0'); // the process that holds the lock may run long migrations
    await lockHolder.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrations]);
    try {
      const ran = await runPending(dataSource);
      await lockHolder.query(`set lock_timeout = '10s'`);
      await lockHolder.query('select ensure_partitions()'); // a database that was off for weeks lacks today's
      return ran;
    } finally {
      await lockHolder.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.migrations]);
      await lockHolder.release();
    }
  } finally {
    await dataSource.destroy();
  }
}

/** Runs the pending migrations, each in its own transaction, and returns their names. Retries transient failures. */
export async function runPending(dataSource: DataSource): Promise<string[]> {
  for (let tries = 1; ; tries++) {
    try {
      const ran = await dataSource.runMigrations({ transaction: 'each' });
      return ran.map(({ name }) => name);
    } catch (error) {
      if (classifyPgError(error) !== 'transient' || tries >= MOST_TRIES) throw error;
      await sleep(TRY_AGAIN_MS);
    }
  }
}

/** Returns true when the database lacks a migration that this build knows. */
export async function hasPendingMigrations(databaseUrl: string): Promise<boolean> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    return await dataSource.showMigrations();
  } finally {
    await dataSource.destroy();
  }
}
