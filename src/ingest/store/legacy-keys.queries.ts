import type { Db } from '../../db/pool';

/** Returns for how many seconds keys of an earlier build may still be stored, or null if this database never had any. */
export async function readLegacyKeysEnd(db: Db, retentionDays: number): Promise<number | null> {
  const { rows } = await db.query<{ left: number | null }>(
    // A day more, because processes of the earlier build go on for a while after the migration.
    `select extract(epoch from legacy_keys_since + make_interval(hours => 24 * ($1 + 1)) - now())::double precision as "left"
       from installation`,
    [retentionDays],
  );
  return rows[0]?.left ?? null;
}
