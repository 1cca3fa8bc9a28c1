import { appendDeadLetterEntry } from '../../event-state/dispatch-again.queries';
import type { Db } from '../../db/pool';
import { storeEvents } from '../../ingest/store/store-batch.queries';
import type { PreparedEvent } from '../../event/prepare-event';

const REASON = { code: 'INVALID_PAYLOAD', message: 'written by npm run seed: no handler has run' };

/**
 * Stores events and dead-letters them in the caller's transaction, as a worker whose handler refused them would have.
 * The dispatch that storing appends is older than the state written here, so no worker runs it (I11). Returns how many
 * were new.
 */
export async function storeDeadLetters(db: Db, events: PreparedEvent[]): Promise<number> {
  const stored = await storeEvents(db, events);
  const ids = events.map(({ event }) => event.id).filter((id) => stored.has(id));
  await db.query(
    `insert into event_state (event_id, status, generation, dispatch_no, attempts, last_error)
     select id, 'DLQ', 1, 2, 1, $2 from unnest($1::uuid[]) as t (id)`,
    [ids, REASON.message],
  );
  await db.query(
    `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code,
                                      error_message, duration_ms, worker)
     select id, 1, 1, 1, 'DLQ', $2, $3, 0, 'seed' from unnest($1::uuid[]) as t (id)`,
    [ids, REASON.code, REASON.message],
  );
  await db.query(
    `insert into dead_letters (event_id, tenant_id, type, reason_code, error_message, attempts, first_failed_at, last_failed_at)
     select id, tenant_id, type, $2, $3, 1, now(), now() from events where id = any ($1::uuid[])`,
    [ids, REASON.code, REASON.message],
  );
  for (const eventId of ids) await appendDeadLetterEntry(db, { eventId, dispatchNo: 2, generation: 1 });
  return ids.length;
}

export async function countByStatus(
  db: Db,
  tenantId: string,
): Promise<{ type: string; status: string; events: number }[]> {
  const { rows } = await db.query<{ type: string; status: string; events: number }>(
    `select e.type, s.status, count(*)::int as events
       from events e join event_status s on s.event_id = e.id
      where e.tenant_id = $1 group by 1, 2 order by 1, 2`,
    [tenantId],
  );
  return rows;
}
