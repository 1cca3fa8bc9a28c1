import type { Db } from '../db/pool';

/** Attempts for a destination. They count for the minute of PostgreSQL's clock in which they are added. */
export interface MinuteCounts {
  destinationId: string;
  delivered: number;
  failed: number;
  /** Successful attempts by duration, one count for each bucket of LATENCY_BOUNDS_MS. */
  latencyMs: readonly number[];
}

export async function addMinutes(db: Db, counts: readonly MinuteCounts[]): Promise<void> {
  if (counts.length === 0) return;
  await db.query({
    name: 'add-destination-minutes',
    text: `
      insert into destination_minutes as m (destination_id, minute, delivered, failed, latency_ms)
      select destination_id, date_trunc('minute', now(), 'UTC'), delivered, failed, string_to_array(latency, ',')::integer[]
        from unnest($1::uuid[], $2::integer[], $3::integer[], $4::text[]) t (destination_id, delivered, failed, latency)
       order by destination_id
      on conflict (destination_id, minute) do update
         set delivered = m.delivered + excluded.delivered, failed = m.failed + excluded.failed,
             latency_ms = (select array_agg(coalesce(a, 0) + coalesce(b, 0) order by i)
                             from unnest(m.latency_ms, excluded.latency_ms) with ordinality t (a, b, i))`,
    values: [
      counts.map(({ destinationId }) => destinationId),
      counts.map(({ delivered }) => delivered),
      counts.map(({ failed }) => failed),
      counts.map(({ latencyMs }) => latencyMs.join(',')),
    ],
  });
}

/** Deletes figures of destinations that are older than `keptSeconds`, at most `limit` rows. Returns their number. */
export async function forgetDestinationMinutes(db: Db, keptSeconds: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from destination_minutes where ctid = any (array(
       select ctid from destination_minutes
        where minute < now() - make_interval(secs => $1) limit $2 for update skip locked))`,
    [keptSeconds, limit],
  );
  return rowCount ?? 0;
}
