import type { Db } from '../db/pool';

/**
 * Tables with rows about single events. These rows are deleted with the events. The default partitions hold rows about
 * events of weeks for which their table had no partition yet.
 */
const ABOUT_EVENTS = [
  'event_state',
  'handler_effects',
  'dead_letters',
  'replay_events',
  'event_actions',
  'delivery_queue',
  'ordered_events',
  'ordered_failures',
  'deliveries_default',
  'delivery_attempts_default',
  'event_revisions_default',
] as const;

/**
 * Deletes the rows about events below `bound`, whose partitions were dropped: at most `limit` rows per table. Leaves
 * rows that are locked to a later run. Returns whether more rows may remain. A partition is only dropped once all of its
 * events are settled (areEventsSettled).
 *
 * @arrow COMPLETED --> [*]
 * @arrow DISCARDED --> [*]
 */
export async function forgetEventsBelow(db: Db, bound: string, limit: number): Promise<boolean> {
  let more = false;
  for (const table of ABOUT_EVENTS) {
    const { rowCount } = await db.query(
      `delete from ${table} where ctid = any (array(
         select ctid from ${table} where event_id < $1::uuid limit $2 for update skip locked))`,
      [bound, limit],
    );
    more ||= rowCount === limit;
  }
  return more;
}

/**
 * Deletes counts of starts whose event was settled in the meantime. The worker that counted a start clears it, unless it
 * dies first and the event is settled by another copy of its message: the broker may have forgotten that the copy is a
 * redelivery. A count that stayed would make a later crash look like the next of three. Returns the number of counts.
 */
export async function forgetSettledStarts(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'forget-settled-starts',
    text: `
      delete from crash_trials where event_id = any (array(
        select c.event_id from crash_trials c left join event_state s on s.event_id = c.event_id
         where s.status in ('COMPLETED', 'DLQ', 'DISCARDED')
            or exists (select from processing_attempts a
                        where a.event_id = c.event_id
                          and (a.created_at > c.updated_at
                               or a.status = 'SUCCESS' and a.generation = coalesce(s.generation, 1)))
         order by c.event_id limit $1 for update of c skip locked))`,
    values: [limit],
  });
  return rowCount ?? 0;
}
