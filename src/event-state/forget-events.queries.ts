import type { Db } from '../db/pool';

/** Tables with rows about single events. These rows are deleted with the events. */
const ABOUT_EVENTS = ['event_state', 'handler_effects', 'dead_letters', 'replay_events'] as const;

/**
 * Deletes the rows about events below `bound`, whose partitions were dropped: at most `limit` rows per table. Leaves
 * rows that are locked to a later run. Returns whether more rows may remain. A partition is only dropped once all of its events are settled (areEventsSettled).
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
