import type { Db } from './pool';

/**
 * A text that names this very database: the cluster and its timeline (a point-in-time restore gets a new one), the
 * database in it, and the installation. What a cache learnt from another one is never believed (I2).
 */
export async function readIncarnation(db: Db): Promise<string> {
  const { rows } = await db.query<{ incarnation: string }>(
    `select (select system_identifier from pg_control_system()) || '.' ||
            (select timeline_id from pg_control_checkpoint()) || '.' ||
            (select oid from pg_database where datname = current_database()) || '.' ||
            (select incarnation from installation) as incarnation`,
  );
  return (rows[0] as { incarnation: string }).incarnation;
}
