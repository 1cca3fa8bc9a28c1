import type { Db } from '../db/pool';

/** Tables with rows about single events, which go when the events go. */
const ABOUT_EVENTS = ['event_state', 'handler_effects', 'dead_letters', 'replay_events'] as const;

/**
 * Deletes what is known of the events below `bound`, whose partition was dropped: at most `limit` rows per table. Returns
 * whether there is more. The partition is only dropped when all of its events are at rest (areEventsSettled).
 *
 * @arrow COMPLETED --> [*]
 * @arrow DISCARDED --> [*]
 */
export async function forgetEventsBelow(db: Db, bound: string, limit: number): Promise<boolean> {
  let more = false;
  for (const table of ABOUT_EVENTS) {
    const { rowCount } = await db.query(
      `delete from ${table} where ctid = any (array(select ctid from ${table} where event_id < $1::uuid limit $2))`,
      [bound, limit],
    );
    more ||= rowCount === limit;
  }
  return more;
}
