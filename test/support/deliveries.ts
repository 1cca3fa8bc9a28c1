import type { Pool } from 'pg';
import type { DeliveryKey } from '../../src/delivery-state/delivery';
import { uuidV7 } from '../../src/event/uuid-v7';
import type { DeliveryTaker } from '../../src/worker/settle/pass-deliveries';

/** For workers of tests that have no destinations. */
export const NO_DELIVERIES: DeliveryTaker = {
  plan: () => Promise.resolve([]),
  keepsOrder: () => false,
  newLease: () => ({ token: '', seconds: 0, sinceMs: 0 }),
  recorded: () => undefined,
  abandoned: () => undefined,
  stop: () => Promise.resolve(),
};

/** The columns of a delivery that tests use. */
export interface DeliveryRow {
  eventId: string;
  destinationId: string;
  generation: number;
  tenantId: string;
  type: string;
  status: 'OPEN' | 'DELIVERED' | 'FAILED' | 'DISCARDED' | 'SKIPPED';
  attempts: number;
  tries: number;
  exhausted: boolean;
  lastReasonCode: string | null;
  lastStatusCode: number | null;
  lastError: string | null;
  replayId: string | null;
  settledAt: string | null;
  failedAt: string | null;
}

export interface QueueRow {
  eventId: string;
  destinationId: string;
  generation: number;
  lease: string | null;
  /** Negative if it is overdue. */
  dueInSeconds: number;
}

export interface DeliveryAttempt {
  destinationId: string;
  generation: number;
  attemptNumber: number;
  reasonCode: string;
  statusCode: number | null;
  responseExcerpt: string | null;
}

/** Inserts an enabled destination, whose secret cannot be opened. Returns its id. */
export async function givenDestinationRow(
  pool: Pool,
  { tenantId = 'acme', eventTypes = ['*'], url = 'https://receiver.example/hook', ordering = 'none' } = {},
): Promise<string> {
  const id = uuidV7();
  await pool.query(
    `insert into destinations (id, tenant_id, url, event_types, enabled, description, timeout_ms, max_in_flight, secret, ordering)
     values ($1, $2, $3, $4, true, '', 1000, 8, '', $5)`,
    [id, tenantId, url, eventTypes, ordering],
  );
  return id;
}

let tenants = 0;

/** Inserts a destination of a tenant that no other test of the file has. */
export async function givenTenantWithDestination(pool: Pool): Promise<{ tenantId: string; destinationId: string }> {
  const tenantId = `tenant-${++tenants}`;
  return { tenantId, destinationId: await givenDestinationRow(pool, { tenantId }) };
}

/** Records that the newest answers of a destination were failures. Its circuit is closed if `openForSeconds` is null. */
export async function givenCircuit(
  pool: Pool,
  destinationId: string,
  { openForSeconds }: { openForSeconds: number | null },
): Promise<void> {
  await pool.query(
    `insert into destination_failures (destination_id, open_until, open_seconds, last_reason_code)
     values ($1, now() + make_interval(secs => $2), case when $2 is not null then 2 end, 'HTTP_5XX')`,
    [destinationId, openForSeconds],
  );
}

/** Returns all deliveries, ordered by their key. */
export async function deliveryRows(pool: Pool): Promise<DeliveryRow[]> {
  const { rows } = await pool.query<DeliveryRow>(
    `select event_id as "eventId", destination_id as "destinationId", generation, tenant_id as "tenantId", type, status,
            attempts, tries, exhausted, last_reason_code as "lastReasonCode", last_status_code as "lastStatusCode",
            last_error as "lastError", replay_id as "replayId", settled_at as "settledAt", failed_at as "failedAt"
       from deliveries order by event_id, destination_id, generation`,
  );
  return rows;
}

/** Returns all rows of the queue, ordered by their key. */
export async function queueRows(pool: Pool): Promise<QueueRow[]> {
  const { rows } = await pool.query<QueueRow>(
    `select event_id as "eventId", destination_id as "destinationId", generation, lease,
            extract(epoch from due_at - now())::float8 as "dueInSeconds"
       from delivery_queue order by event_id, destination_id, generation`,
  );
  return rows;
}

/** Inserts a delivery, in the queue if it is open. It is due in `dueInSeconds`; a negative number makes it overdue. */
export async function givenDelivery(
  pool: Pool,
  delivery: Pick<DeliveryRow, 'eventId' | 'destinationId'> &
    Partial<Omit<DeliveryRow, 'settledAt' | 'failedAt'>> & { dueInSeconds?: number; lease?: string | null },
): Promise<DeliveryKey> {
  const { eventId, destinationId, generation = 1, tenantId = 'acme', type = 'order.paid', status = 'OPEN' } = delivery;
  const { attempts = 0, tries = attempts, exhausted = false, lastReasonCode = null, lastStatusCode = null } = delivery;
  const { lastError = null, replayId = null, dueInSeconds = 0, lease = null } = delivery;
  await pool.query(
    `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, tries, exhausted,
                             last_reason_code, last_status_code, last_error, replay_id, settled_at, failed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, case when $6 <> 'OPEN' then now() end,
             case when $6 in ('FAILED', 'DISCARDED') then now() end)`,
    [
      ...[eventId, destinationId, generation, tenantId, type, status, attempts, tries, exhausted],
      ...[lastReasonCode, lastStatusCode, lastError, replayId],
    ],
  );
  if (status === 'OPEN') {
    await pool.query(
      `insert into delivery_queue (event_id, destination_id, generation, due_at, lease)
       values ($1, $2, $3, now() + make_interval(secs => $4), $5)`,
      [eventId, destinationId, generation, dueInSeconds, lease],
    );
  }
  return { eventId, destinationId, generation };
}

/** Disables a destination as an operator does, or as StreamForge does if there is a reason. */
export async function disable(pool: Pool, destinationId: string, reason: string | null = null): Promise<void> {
  await pool.query('update destinations set enabled = false, disabled_reason = $2 where id = $1', [
    destinationId,
    reason,
  ]);
}

/** Returns the attempts of an event's deliveries to one destination, or to all, in the order in which they were made. */
export async function deliveryAttempts(
  pool: Pool,
  eventId: string,
  destinationId?: string,
): Promise<DeliveryAttempt[]> {
  const { rows } = await pool.query<DeliveryAttempt>(
    `select destination_id as "destinationId", generation, attempt_number as "attemptNumber", reason_code as "reasonCode",
            status_code as "statusCode", response_excerpt as "responseExcerpt"
       from delivery_attempts where event_id = $1 and ($2::uuid is null or destination_id = $2)
      order by at, destination_id, attempt_number`,
    [eventId, destinationId ?? null],
  );
  return rows;
}
