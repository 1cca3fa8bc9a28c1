import type { Db } from '../db/pool';
import { appendEntries, RAISED, type Dispatch } from './dispatch-again.queries';

/**
 * Dispatches lost events again, with the next dispatch number. Does nothing for an event that was settled or dispatched
 * since it was found lost (I11). Returns the number of dispatched events.
 *
 * @arrow [*] --> DISPATCHED
 * @arrow DISPATCHED --> DISPATCHED
 */
export async function dispatchLost(db: Db, lost: readonly Omit<Dispatch, 'outboxId'>[]): Promise<number> {
  const { rowCount } = await db.query(
    `with lost as (
       select * from unnest($1::uuid[], $2::integer[], $3::integer[]) as t (event_id, dispatch_no, generation)
     ), raised as (
       insert into event_state as s (event_id, status, generation, dispatch_no, attempts, outbox_id)
       select event_id, 'DISPATCHED', generation, dispatch_no + 1, 0, nextval('outbox_id_seq') from lost order by event_id
       on conflict (event_id) do update
             set dispatch_no = excluded.dispatch_no, outbox_id = excluded.outbox_id, updated_at = now()
           where s.dispatch_no = excluded.dispatch_no - 1 and s.status = 'DISPATCHED'
       returning ${RAISED}
     )${appendEntries('main')}`,
    [lost.map((d) => d.eventId), lost.map((d) => d.dispatchNo), lost.map((d) => d.generation)],
  );
  return rowCount ?? 0;
}
