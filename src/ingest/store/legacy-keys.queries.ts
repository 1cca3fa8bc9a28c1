import type { Db } from '../../db/pool';

/** Returns until when keys of an earlier build may be stored, or null if this database never had any. */
export async function readLegacyKeysUntil(db: Db, retentionDays: number): Promise<string | null> {
  const { rows } = await db.query<{ until: string | null }>(
    // A day more, because processes of the earlier build go on for a while after the migration.
    'select legacy_keys_since + make_interval(hours => 24 * ($1 + 1)) as until from installation',
    [retentionDays],
  );
  return rows[0]?.until ?? null;
}
