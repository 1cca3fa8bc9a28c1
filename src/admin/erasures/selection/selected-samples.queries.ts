import type { Db } from '../../../db/pool';

/** A source has 51 samples at most. */
const MOST_DELETED = 5_000;

const OF_TENANT = 's.source_id in (select id from sources where tenant_id = $1) and s.id < $2';

/** Deletes samples of the tenant's sources from before `below`. Returns their number; there may be more if it is `most`. */
export async function deleteSamplesOfTenant(
  db: Db,
  { tenantId, below }: { tenantId: string; below: string },
): Promise<{ deleted: number; more: boolean }> {
  const { rowCount } = await db.query(
    `delete from source_samples where ctid = any (array(
       select s.ctid from source_samples s where ${OF_TENANT} order by s.id limit ${MOST_DELETED} for update))`,
    [tenantId, below],
  );
  return { deleted: rowCount ?? 0, more: rowCount === MOST_DELETED };
}

export async function countSamplesOfTenant(
  db: Db,
  { tenantId, below }: { tenantId: string; below: string },
): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::integer as n from source_samples s where ${OF_TENANT}`,
    [tenantId, below],
  );
  return rows[0]?.n ?? 0;
}
