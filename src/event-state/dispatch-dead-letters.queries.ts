import type { Db } from '../db/pool';
import { appendEntries, RAISED, RETURNING_DISPATCHES, type Dispatch } from './dispatch-again.queries';
import { NOTED_AGAIN } from './order/ordered-types';

/** Locks the events of $1 that are in the DLQ. Leaves out events that wait in a replay. */
export const PICKED = `picked as (
       select s.event_id from event_state s
        where s.event_id = any ($1::uuid[]) and s.status = 'DLQ'
          and not exists (select from replay_events r where r.event_id = s.event_id and r.outcome = 'PENDING')
        order by s.event_id for update
     )`;

/** Resolves the dead letters of the events in the CTE `raised`. The rows remain as history (I12). */
export const resolveDeadLetters = (resolution: 'RETRIED' | 'REPLAYED' | 'DISCARDED', note = 'null'): string =>
  `resolved as (
       update dead_letters set resolved_at = now(), resolution = '${resolution}', note = ${note}
        where event_id = any (array(select event_id from raised)) and resolved_at is null
     )`;

/**
 * Retries dead letters for an operator: the next dispatch in the same generation, with the attempts counted from 1
 * again. If two operators retry the same event, only one dispatches it, because the status is compared and set on the
 * locked row.
 *
 * @arrow DLQ --> DISPATCHED
 */
export async function dispatchDeadLetters(db: Db, ids: readonly string[]): Promise<Dispatch[]> {
  const { rows } = await db.query<Dispatch>(
    `with ${PICKED}, raised as (
       update event_state s
          set status = 'DISPATCHED', dispatch_no = s.dispatch_no + 1, attempts = 0, updated_at = now(),
              outbox_id = nextval('outbox_id_seq')
         from picked where s.event_id = picked.event_id and s.status = 'DLQ'
       returning ${RAISED}
     ), ${resolveDeadLetters('RETRIED')}, ${NOTED_AGAIN}${appendEntries('retry')}${RETURNING_DISPATCHES}`,
    [ids],
  );
  return rows;
}
