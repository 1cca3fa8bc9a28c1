import type { Dispatch } from './dispatch-again.queries';
import type { Db } from '../db/pool';

export interface DeadLetter {
  id: string;
  reasonCode: string;
  errorMessage: string | null;
  attempts: number;
  firstFailedAt: string;
  lastFailedAt: string;
}

/** The dead letters of these events. */
export async function readDeadLetters(db: Db, ids: readonly string[]): Promise<Map<string, DeadLetter>> {
  const { rows } = await db.query<DeadLetter>(
    `select event_id as id, reason_code as "reasonCode", error_message as "errorMessage", attempts,
            first_failed_at as "firstFailedAt", last_failed_at as "lastFailedAt"
       from dead_letters where event_id = any ($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}

export interface DeadLetterReason {
  reasonCode: string;
  errorMessage: string;
  count: number;
  firstSeenAt: string;
  lastSeenAt: string;
  sampleEventIds: string[];
}

/** Most dead letters that the reasons are counted over, newest first: it bounds the time of the answer. */
const MOST_COUNTED = 50_000;
const SAMPLES = 5;

/**
 * Unresolved dead letters by cause: reason code and message without what differs from event to event (failure_group in
 * the migrations). The most frequent first. `total` is that of all groups, `capped` says that there are more.
 */
export async function listReasons(
  db: Db,
  query: { tenantId: string | null; limit: number },
): Promise<{ reasons: DeadLetterReason[]; total: number; capped: boolean }> {
  const { rows } = await db.query<DeadLetterReason & { total: number }>(
    `with unresolved as materialized (
       select event_id, reason_code, message_group, first_failed_at, last_failed_at from dead_letters
        where resolved_at is null and ($1::text is null or tenant_id = $1)
        order by event_id desc limit $2
     ), groups as (
       select reason_code, message_group, count(*)::int as count, min(first_failed_at) as first_seen,
              max(last_failed_at) as last_seen, max(event_id::text) as newest
         from unresolved group by reason_code, message_group order by 3 desc, 1, 2 limit $3
     )
     select g.reason_code as "reasonCode", g.message_group as "errorMessage", g.count, g.first_seen as "firstSeenAt",
            g.last_seen as "lastSeenAt", (select count(*)::int from unresolved) as total,
            array(select u.event_id::text from unresolved u
                   where u.reason_code = g.reason_code and u.message_group = g.message_group limit ${SAMPLES})
              as "sampleEventIds"
       from groups g order by g.count desc, g.reason_code, g.message_group`,
    [query.tenantId, MOST_COUNTED, query.limit],
  );
  const total = rows[0]?.total ?? 0;
  return { reasons: rows.map(({ total: _total, ...reason }) => reason), total, capped: total === MOST_COUNTED };
}

/** Those of $1 that are in the DLQ, locked. An event that waits in a replay is left to it. */
const PICKED = `with picked as (
       select s.event_id from event_state s
        where s.event_id = any ($1::uuid[]) and s.status = 'DLQ'
          and not exists (select from replay_events r where r.event_id = s.event_id and r.outcome = 'PENDING')
        order by s.event_id for update
     )`;

/**
 * DLQ → DISPATCHED: the next dispatch in the same generation, with all attempts to make. The state is compared and set on
 * its locked row, so of two operators one gets the event.
 */
export async function takeBackToDispatch(db: Db, ids: readonly string[]): Promise<Dispatch[]> {
  const { rows } = await db.query<Dispatch>(
    `${PICKED}
     update event_state s
        set status = 'DISPATCHED', dispatch_no = s.dispatch_no + 1, attempts = 0, updated_at = now(),
            outbox_id = nextval('outbox_id_seq')
       from picked where s.event_id = picked.event_id and s.status = 'DLQ'
     returning s.event_id as "eventId", s.generation, s.dispatch_no as "dispatchNo", s.outbox_id as "outboxId"`,
    [ids],
  );
  return rows;
}

/** DLQ → DISCARDED. Returns the ids of those that were in the DLQ and in no replay. */
export async function discardDeadLetters(db: Db, ids: readonly string[]): Promise<string[]> {
  const { rows } = await db.query<{ event_id: string }>(
    `${PICKED}
     update event_state s set status = 'DISCARDED', updated_at = now()
       from picked where s.event_id = picked.event_id and s.status = 'DLQ'
     returning s.event_id`,
    [ids],
  );
  return rows.map(({ event_id }) => event_id);
}

/** The rows stay as the history of record. */
export async function resolveDeadLetters(
  db: Db,
  resolved: { ids: readonly string[]; resolution: 'RETRIED' | 'REPLAYED' | 'DISCARDED'; note?: string | undefined },
): Promise<void> {
  await db.query(
    `update dead_letters set resolved_at = now(), resolution = $2, note = $3
      where event_id = any ($1::uuid[]) and resolved_at is null`,
    [resolved.ids, resolved.resolution, resolved.note ?? null],
  );
}
