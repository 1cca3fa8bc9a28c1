import { ADVISORY_LOCKS } from './advisory-locks';
import { createDataSource } from './data-source';

/**
 * Brings the schema up to date and returns the names of the migrations that ran. Processes that start together take
 * turns by an advisory lock, so all but the first find nothing to do.
 */
export async function migrate(databaseUrl: string): Promise<string[]> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    const lockHolder = dataSource.createQueryRunner();
    await lockHolder.query('set lock_timeout = 0'); // whoever is before us may have much to do
    await lockHolder.query('select pg_advisory_lock($1)', [ADVISORY_LOCKS.migrations]);
    try {
      const ran = await dataSource.runMigrations({ transaction: 'each' });
      await lockHolder.query(`set lock_timeout = '10s'`);
      await lockHolder.query('select ensure_partitions()'); // a database that slept for weeks lacks today's
      return ran.map((migration) => migration.name);
    } finally {
      await lockHolder.query('select pg_advisory_unlock($1)', [ADVISORY_LOCKS.migrations]);
      await lockHolder.release();
    }
  } finally {
    await dataSource.destroy();
  }
}

/** True when the database lacks a migration that this build knows. */
export async function hasPendingMigrations(databaseUrl: string): Promise<boolean> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    return await dataSource.showMigrations();
  } finally {
    await dataSource.destroy();
  }
}
