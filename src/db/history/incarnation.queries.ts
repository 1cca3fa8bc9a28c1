import type { Db } from '../pool';
import { singleRow } from './single-row';

/**
 * Returns a text that identifies this database: the cluster, the database in the cluster, and the installation. Facts
 * cached under another incarnation are never used (I2). A standby that takes over keeps it: that facts are from before is
 * told by their history (history.queries.ts).
 */
export async function readIncarnation(db: Db): Promise<string> {
  const { rows } = await db.query<{ incarnation: string | null }>(
    `select (select system_identifier from pg_control_system()) || '.' ||
            (select oid from pg_database where datname = current_database()) || '.' ||
            (select incarnation from installation) as incarnation`,
  );
  return singleRow(
    rows.flatMap(({ incarnation }) => incarnation ?? []),
    'installation',
  );
}
