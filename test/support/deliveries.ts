import type { Pool } from 'pg';
import { uuidV7 } from '../../src/event/uuid-v7';

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

/** Inserts an enabled destination, whose secret cannot be opened. Returns its id. */
export async function givenDestinationRow(
  pool: Pool,
  { tenantId = 'acme', eventTypes = ['*'], url = 'https://receiver.example/hook' } = {},
): Promise<string> {
  const id = uuidV7();
  await pool.query(
    `insert into destinations (id, tenant_id, url, event_types, enabled, description, timeout_ms, max_in_flight, secret)
     values ($1, $2, $3, $4, true, '', 1000, 8, '')`,
    [id, tenantId, url, eventTypes],
  );
  return id;
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
