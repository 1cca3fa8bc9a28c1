import type { Db } from '../../db/pool';

export interface UsageIncrement {
  tenantId: string;
  /** UTC date, YYYY-MM-DD. */
  day: string;
  type: string;
  events: number;
  bytes: number;
}

/**
 * Adds to the counters. Rows are locked in key order, so that two workers cannot deadlock. A day of a closed month keeps its
 * figures: what is processed later counts on the first open day.
 */
export async function addUsage(db: Db, rows: readonly UsageIncrement[]): Promise<void> {
  await db.query({
    name: 'add-usage',
    text: `
      insert into usage_daily as u (tenant_id, day, type, events, bytes)
      select tenant_id, greatest(day, (select open_from from usage_close)) as day, type, sum(e), sum(b)
        from unnest($1::text[], $2::date[], $3::text[], $4::bigint[], $5::bigint[]) as t (tenant_id, day, type, e, b)
       group by 1, 2, 3
       order by 1, 2, 3
      on conflict (tenant_id, day, type) do update
            set events = u.events + excluded.events, bytes = u.bytes + excluded.bytes`,
    values: [
      rows.map((row) => row.tenantId),
      rows.map((row) => row.day),
      rows.map((row) => row.type),
      rows.map((row) => row.events),
      rows.map((row) => row.bytes),
    ],
  });
}
