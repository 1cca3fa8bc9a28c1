import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { ADVISORY_LOCKS } from '../advisory-locks';
import { classifyPgError } from '../pg-errors';
import type { MissingPartition } from '../retention/partitions.queries';
import { closeDataSource, createDataSource } from './data-source';

/**
 * Under load a migration may hit a deadlock or time out on a lock, for example behind a dump. It is then rolled back
 * (TypeORM prints why) and run again, up to this number of runs. All statements that need its tables wait with it, so it
 * waits a second each time (data-source.ts), and in between for longer, while they go on. Gives up after ten minutes.
 */
const MOST_TRIES = 75;
const TRIES_OF_PARTITIONS = 3;
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 8_000;

/**
 * Brings the schema up to date and returns the names of the migrations that ran. Processes that start together take
 * turns through an advisory lock, so all but the first find nothing to do.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    const lockHolder = dataSource.createQueryRunner();
    // The lock belongs to a transaction, because a pooler may take the session away. It stays open while the migrations
    // run on another connection, and holds nothing else.
    await lockHolder.startTransaction();
    try {
      await lockHolder.query('set local lock_timeout = 0'); // the process that holds the lock may run long migrations
      await lockHolder.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.migrations]);
      const ran = await runPending(dataSource);
      await makeMissingPartitions(dataSource); // a database that was off for weeks lacks today's
      return ran;
    } finally {
      await lockHolder.rollbackTransaction();
      await lockHolder.release();
    }
  } finally {
    await closeDataSource(dataSource);
  }
}

/** Runs the pending migrations, each in its own transaction, and returns their names. Retries transient failures. */
export async function runPending(dataSource: DataSource): Promise<string[]> {
  const ran: string[] = [];
  await whileBusy(MOST_TRIES, async () => {
    ran.push(...(await dataSource.runMigrations({ transaction: 'each' })).map(({ name }) => name));
  });
  return ran;
}

/**
 * Each in its own transaction: together they would hold the locks of all of them. Behind a dump, publishers make them
 * later, and rows wait in the default partition until then.
 */
async function makeMissingPartitions(dataSource: DataSource): Promise<void> {
  const missing = await dataSource.query<MissingPartition[]>('select parent, name from missing_partitions()');
  try {
    for (const { parent, name } of missing) {
      await whileBusy(TRIES_OF_PARTITIONS, () => dataSource.query('select make_partition($1, $2)', [parent, name]));
    }
  } catch (error) {
    if (classifyPgError(error) !== 'transient') throw error;
  }
}

async function whileBusy(mostTries: number, work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await work();
      return;
    } catch (error) {
      if (classifyPgError(error) !== 'transient' || tries >= mostTries) throw error;
      await sleep(Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), MOST_WAIT_MS));
    }
  }
}

/** Returns true when the database lacks a migration that this build knows. */
export async function hasPendingMigrations(databaseUrl: string): Promise<boolean> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    return await dataSource.showMigrations();
  } finally {
    await closeDataSource(dataSource);
  }
}
