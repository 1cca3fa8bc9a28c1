import type { Pool } from 'pg';
import type { Event } from '../../src/event/event';
import type { PreparedEvent } from '../../src/event/prepare-event';
import { storeBatch } from '../../src/ingest/store/store-batch';
import type { DispatchedEvent } from '../../src/event/dispatched-event';
import { prepared } from './events';

/** The columns of an outbox row that tests use. */
export interface OutboxRow {
  /** bigint as text. */
  id: string;
  eventId: string;
  destination: 'main' | 'retry' | 'dlq';
  dispatchNo: number;
  generation: number;
  status: 'PENDING' | 'IN_FLIGHT' | 'PUBLISHED' | 'FAILED';
  attempts: number;
  lockOwner: string | null;
  nextAttemptAt: string | null;
  closedAt: string | null;
  lastError: string | null;
}

export interface StateRow {
  status: 'DISPATCHED' | 'RETRYING' | 'COMPLETED' | 'DLQ' | 'DISCARDED';
  generation: number;
  dispatchNo: number;
  attempts: number;
  outboxId: string | null;
  lastError: string | null;
}

export interface AttemptRow {
  generation: number;
  dispatchNo: number;
  attemptNumber: number;
  status: 'SUCCESS' | 'RETRY' | 'DLQ';
  reasonCode: string;
  errorMessage: string | null;
}

/** Stores an event as ingest does. Its outbox entry is PENDING. */
export async function givenEvent(pool: Pool, fields: Record<string, unknown> = {}): Promise<Event> {
  return storedEvent(pool, prepared(fields));
}

/** Stores `count` events in one batch, in this order. */
export async function givenEvents(
  pool: Pool,
  count: number,
  fields: Record<string, unknown> = {},
  tenantId = 'acme',
): Promise<Event[]> {
  const batch = Array.from({ length: count }, () => prepared(fields, { tenantId }));
  for (const outcome of await storeBatch(pool, batch)) {
    if (outcome.kind !== 'accepted') throw new Error(`the event was not accepted but ${outcome.kind}`);
  }
  return batch.map(({ event }) => event);
}

async function storedEvent(pool: Pool, event: PreparedEvent): Promise<Event> {
  const [outcome] = await storeBatch(pool, [event]);
  if (outcome?.kind !== 'accepted') throw new Error(`the event was not accepted but ${outcome?.kind}`);
  return event.event;
}

/** Sets all entries of these events to a status, with the columns that the publisher sets along with it. */
export async function setEntries(pool: Pool, events: readonly Event[], status: OutboxRow['status']): Promise<void> {
  await pool.query(
    `update outbox
        set status = $2,
            closed_at = case when $2 in ('PUBLISHED', 'FAILED') then now() end,
            failed_at = case when $2 = 'FAILED' then now() end,
            lock_owner = case when $2 = 'IN_FLIGHT' then gen_random_uuid() end,
            lock_acquired_at = case when $2 = 'IN_FLIGHT' then now() end
      where event_id = any ($1::uuid[])`,
    [events.map(({ id }) => id), status],
  );
}

/** Adds another entry, as a retry, a dead letter or another dispatch does. Returns its id. */
export async function givenEntry(
  pool: Pool,
  event: Event,
  entry: Partial<Pick<OutboxRow, 'destination' | 'dispatchNo' | 'generation' | 'status'>> = {},
): Promise<string> {
  const { destination = 'main', dispatchNo = 2, generation = 1, status = 'PENDING' } = entry;
  const { rows } = await pool.query<{ id: string }>(
    `insert into outbox (event_id, tenant_id, destination, dispatch_no, generation, status, closed_at, failed_at)
     values ($1, $6, $2, $3, $4, $5, case when $5 in ('PUBLISHED', 'FAILED') then now() end,
             case when $5 = 'FAILED' then now() end) returning id`,
    [event.id, destination, dispatchNo, generation, status, event.tenantId],
  );
  return (rows[0] as { id: string }).id;
}

export async function givenState(
  pool: Pool,
  event: Event,
  state: Partial<StateRow> & Pick<StateRow, 'status'>,
): Promise<void> {
  const { status, generation = 1, dispatchNo = 2, attempts = 1, outboxId = null, lastError = null } = state;
  await pool.query(
    `insert into event_state (event_id, status, generation, dispatch_no, attempts, outbox_id, last_error)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [event.id, status, generation, dispatchNo, attempts, outboxId, lastError],
  );
}

export async function givenAttempt(pool: Pool, event: Event, attempt: Partial<AttemptRow> = {}): Promise<void> {
  const { generation = 1, dispatchNo = 1, attemptNumber = 1, status = 'SUCCESS', errorMessage = null } = attempt;
  const { reasonCode = status === 'SUCCESS' ? 'PROCESSED' : 'HANDLER_ERROR' } = attempt;
  await pool.query(
    `insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code,
                                      error_message, duration_ms, worker)
     values ($1, $2, $3, $4, $5, $6, $7, 1, 'test')`,
    [event.id, generation, dispatchNo, attemptNumber, status, reasonCode, errorMessage],
  );
}

/** Schedules a retry that is due in `dueInSeconds`. A negative number makes it overdue. */
export async function givenRetry(
  pool: Pool,
  event: Event,
  retry: { dueInSeconds: number; dispatchNo?: number; generation?: number },
): Promise<void> {
  await pool.query(
    `insert into retry_schedule (event_id, dispatch_no, generation, due_at)
     values ($1, $2, $3, now() + make_interval(secs => $4))`,
    [event.id, retry.dispatchNo ?? 2, retry.generation ?? 1, retry.dueInSeconds],
  );
}

/** Creates an event whose first attempt failed and whose retry is due in `dueInSeconds`, as the worker leaves it. */
export async function givenFailedEvent(pool: Pool, dueInSeconds: number): Promise<Event> {
  const event = await givenEvent(pool);
  await setEntries(pool, [event], 'PUBLISHED');
  await givenAttempt(pool, event, { status: 'RETRY' });
  await givenState(pool, event, { status: 'RETRYING', lastError: 'it broke' });
  await givenRetry(pool, event, { dueInSeconds });
  return event;
}

/** Lets time pass for the whole outbox and the schedule of retries, without waiting for it. */
export async function letPass(pool: Pool, seconds: number): Promise<void> {
  await pool.query(
    `update outbox set created_at = created_at - make_interval(secs => $1),
                       closed_at = closed_at - make_interval(secs => $1),
                       lock_acquired_at = lock_acquired_at - make_interval(secs => $1),
                       next_attempt_at = next_attempt_at - make_interval(secs => $1)`,
    [seconds],
  );
  await pool.query('update retry_schedule set due_at = due_at - make_interval(secs => $1)', [seconds]);
}

/**
 * Lets every lease run out, and moves nothing else: a close looks for its entries by the time of their creation too, and
 * would miss them for that reason alone after `letPass`.
 */
export async function expireLeases(pool: Pool): Promise<void> {
  await pool.query(`update outbox set lock_acquired_at = lock_acquired_at - interval '1 day'`);
}

/** Returns the entries of one event, or of all, oldest first. */
export async function outboxRows(pool: Pool, event?: Event): Promise<OutboxRow[]> {
  const { rows } = await pool.query<OutboxRow>(
    `select id, event_id as "eventId", destination, dispatch_no as "dispatchNo", generation, status, attempts,
            lock_owner as "lockOwner", next_attempt_at as "nextAttemptAt", closed_at as "closedAt",
            last_error as "lastError"
       from outbox where $1::uuid is null or event_id = $1 order by id`,
    [event?.id ?? null],
  );
  return rows;
}

export async function stateRow(pool: Pool, event: Event): Promise<StateRow | undefined> {
  const { rows } = await pool.query<StateRow>(
    `select status, generation, dispatch_no as "dispatchNo", attempts, outbox_id as "outboxId",
            last_error as "lastError" from event_state where event_id = $1`,
    [event.id],
  );
  return rows[0];
}

/** Returns all attempts of an event in the order in which they were recorded. */
export async function attemptRows(pool: Pool, event: Event): Promise<AttemptRow[]> {
  const { rows } = await pool.query<AttemptRow>(
    `select generation, dispatch_no as "dispatchNo", attempt_number as "attemptNumber", status,
            reason_code as "reasonCode", error_message as "errorMessage"
       from processing_attempts where event_id = $1 order by created_at, attempt_number`,
    [event.id],
  );
  return rows;
}

/** Counts rows. `table` is a table's name, or anything else that may follow `from`. */
export async function countRows(pool: Pool, table: string): Promise<number> {
  const { rows } = await pool.query<{ n: number }>(`select count(*)::int as n from ${table}`);
  return (rows[0] as { n: number }).n;
}

/** Returns the event as a worker receives it. */
export function delivered(
  event: Event,
  { dispatchNo = 1, generation = 1, revision }: { dispatchNo?: number; generation?: number; revision?: number } = {},
): DispatchedEvent {
  const { id, tenantId, type, receivedAt, sizeBytes, correlationId, payloadJson } = event;
  const body = Buffer.from(`{"id":"${id}","payload":${payloadJson}}`);
  return { id, tenantId, type, receivedAt, sizeBytes, correlationId, dispatchNo, generation, revision, body };
}
