import type { Db } from '../db/pool';
import { appendEntries, RAISED } from './dispatch-again.queries';
import { lockedStates } from './locked-states';

/**
 * Dispatches up to `limit` due retries. Returns their number. `any (array(...))` keeps the planner on the indexes, as
 * in CLAIM_SETTINGS: both tables can grow by thousands of rows within seconds, faster than their statistics.
 *
 * @arrow RETRYING --> DISPATCHED
 */
export async function dispatchDueRetries(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'dispatch-due-retries',
    text: `
      with due as (
        delete from retry_schedule
         where event_id = any (array(select event_id from retry_schedule where due_at <= now() order by due_at limit $1
                                        for update skip locked))
        returning event_id, dispatch_no
      ), raised as (
        update event_state s set status = 'DISPATCHED', outbox_id = nextval('outbox_id_seq'), updated_at = now()
          from due
         where s.event_id = any (${lockedStates('array(select event_id from due)')})
           and s.event_id = due.event_id and s.dispatch_no = due.dispatch_no and s.status = 'RETRYING'
        returning ${RAISED}
      )${appendEntries('retry')}`,
    values: [limit],
  });
  return rowCount ?? 0;
}
