import type { Db } from '../pool';

/** Returns the number of pages of the table of idempotency keys, which is the range that a walk covers. */
export async function countKeyPages(db: Db): Promise<number> {
  const { rows } = await db.query<{ pages: number }>(
    `select ceil(pg_relation_size('idempotency_keys') / current_setting('block_size')::float8)::integer as pages`,
  );
  return rows[0]?.pages ?? 0;
}

export interface Pages {
  /** First page. */
  from: number;
  /** End of the range, exclusive. */
  to: number;
  retentionDays: number;
}

/*
 * By page instead of `limit n`: with a limit, each statement would scan again what earlier ones deleted. A walk by page
 * reads every page once, in whatever order the keys lie.
 */
const EXPIRED_IN_PAGES = `
  ctid >= ('(' || $1::bigint || ',0)')::tid and ctid < ('(' || $2::bigint || ',0)')::tid
  and created_at < now() - make_interval(hours => 24 * $3)`;

/** Deletes the expired keys in these pages and returns their number. */
export async function deleteExpiredKeys(db: Db, { from, to, retentionDays }: Pages): Promise<number> {
  const { rowCount } = await db.query(`delete from idempotency_keys where ${EXPIRED_IN_PAGES}`, [
    from,
    to,
    retentionDays,
  ]);
  return rowCount ?? 0;
}

export async function countExpiredKeys(db: Db, { from, to, retentionDays }: Pages): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::integer as n from idempotency_keys where ${EXPIRED_IN_PAGES}`,
    [from, to, retentionDays],
  );
  return rows[0]?.n ?? 0;
}
