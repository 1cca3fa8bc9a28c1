import type { Db } from '../../db/pool';

export interface Usage {
  tenantId: string;
  /** UTC date, YYYY-MM-DD. */
  day: string;
  type: string;
  events: number;
  bytes: number;
}

/** Maximum number of rows in one response. */
const MOST_ROWS = 1_000;

/**
 * Lists usage by tenant, day and type, newest day first. An undefined criterion matches every row. `from` and `to` are
 * inclusive.
 */
export async function listUsage(db: Db, filter: { tenantId?: string; from?: string; to?: string }): Promise<Usage[]> {
  const { rows } = await db.query<Usage>(
    `select tenant_id as "tenantId", to_char(day, 'YYYY-MM-DD') as day, type,
            events::float8 as events, bytes::float8 as bytes
       from usage_daily
      where ($1::text is null or tenant_id = $1)
        and ($2::date is null or day >= $2) and ($3::date is null or day <= $3)
      order by usage_daily.day desc, tenant_id, type limit ${MOST_ROWS}`,
    [filter.tenantId ?? null, filter.from ?? null, filter.to ?? null],
  );
  return rows;
}
