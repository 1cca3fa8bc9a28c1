import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import { lockedStates } from './locked-states';

/**
 * Completes events whose attempts this transaction has opened. openAttempts has checked the dispatch number, so it is
 * not compared again. Only for events that have a row; the others need none.
 *
 * @arrow DISPATCHED --> COMPLETED
 */
export async function completeStates(db: Db, events: readonly DispatchedEvent[]): Promise<void> {
  if (events.length === 0) return;
  await db.query({
    name: 'complete-states',
    text: `update event_state set status = 'COMPLETED', last_error = null, updated_at = now()
            where event_id = any (${lockedStates('$1::uuid[]')})`,
    values: [events.map(({ id }) => id)],
  });
}

/**
 * Completes dispatches whose event has succeeded in an earlier dispatch (after a reconciliation or a republish). Runs in
 * a transaction of its own, because a settle transaction changes its states in one statement.
 *
 * @arrow DISPATCHED --> COMPLETED
 */
export async function completeDispatchesOfSucceeded(db: Db, events: readonly DispatchedEvent[]): Promise<void> {
  await db.query({
    name: 'complete-dispatches-of-succeeded',
    text: `
      update event_state s set status = 'COMPLETED', last_error = null, updated_at = now()
        from unnest($1::uuid[], $2::integer[]) as t (id, dispatch_no)
       where s.event_id = any (${lockedStates('$1::uuid[]')})
         and s.event_id = t.id and s.dispatch_no = t.dispatch_no and s.status = 'DISPATCHED'
         and exists (select from processing_attempts a
                      where a.event_id = t.id and a.generation = s.generation and a.status = 'SUCCESS')`,
    values: [events.map(({ id }) => id), events.map(({ dispatchNo }) => dispatchNo)],
  });
}
