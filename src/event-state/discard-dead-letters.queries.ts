import type { Db } from '../db/pool';
import { PICKED, resolveDeadLetters } from './dispatch-dead-letters.queries';
import { KEYS_CHANGED } from './order/ordered-types';

/**
 * Discards dead letters for an operator. Returns the ids of those that were in the DLQ and in no replay.
 *
 * @arrow DLQ --> DISCARDED
 */
export async function discardDeadLetters(db: Db, ids: readonly string[], note: string | undefined): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `with ${PICKED}, raised as (
       update event_state s set status = 'DISCARDED', updated_at = now()
         from picked where s.event_id = picked.event_id and s.status = 'DLQ'
       returning s.event_id
     ), ${resolveDeadLetters('DISCARDED', '$2')}, ${KEYS_CHANGED}
     select event_id as id from raised`,
    [ids, note ?? null],
  );
  return rows.map(({ id }) => id);
}
