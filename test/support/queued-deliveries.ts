import type { Pool } from 'pg';
import type { Event } from '../../src/event/event';
import { uuidV7 } from '../../src/event/uuid-v7';

/** A destination that tests insert without the API. Its secret cannot be opened. */
export interface GivenReceiver {
  enabled?: boolean;
  paused?: boolean;
  tenantId?: string;
  url?: string;
  timeoutMs?: number;
  maxInFlight?: number;
  ordering?: 'none' | 'key';
  onPoison?: 'block' | 'skip';
  latestOnly?: boolean;
  secret?: Buffer;
  id?: string;
}

export async function givenReceiver(pool: Pool, receiver: GivenReceiver = {}): Promise<string> {
  const { enabled = true, paused = false, tenantId = 'acme', url = 'http://receiver.example/' } = receiver;
  const { timeoutMs = 1_000, maxInFlight = 8, secret = Buffer.alloc(0), id = uuidV7() } = receiver;
  const { ordering = 'none', onPoison = 'block', latestOnly = false } = receiver;
  await pool.query(
    `insert into destinations (id, tenant_id, url, event_types, enabled, description, timeout_ms, max_in_flight, secret,
                               paused_at, ordering, on_poison, latest_only)
     values ($1, $2, $3, '{*}', $4, '', $5, $6, $7, case when $8 then now() end, $9, $10, $11)`,
    [id, tenantId, url, enabled, timeoutMs, maxInFlight, secret, paused, ordering, onPoison, latestOnly],
  );
  return id;
}

export interface GivenQueued {
  /** A negative number makes it overdue. */
  dueInSeconds?: number;
  lease?: string | null;
  attempts?: number;
  tries?: number;
  ageSeconds?: number;
}

/** Records an open delivery of each event and queues it. */
export async function givenQueued(
  pool: Pool,
  destinationId: string,
  events: readonly Event[],
  queued: GivenQueued = {},
): Promise<void> {
  const { dueInSeconds = -1, lease = null, attempts = 0, tries = 0, ageSeconds = 0 } = queued;
  await pool.query(
    `with recorded as (
       insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, tries, created_at)
       select id, $2, 1, tenant_id, type, 'OPEN', $5, $6, now() - make_interval(secs => $7)
         from events where id = any ($1::uuid[]))
     insert into delivery_queue (event_id, destination_id, generation, due_at, lease)
     select id, $2, 1, now() + make_interval(secs => $3) + n * interval '1 microsecond', $4
       from unnest($1::uuid[]) with ordinality e (id, n)`,
    [events.map(({ id }) => id), destinationId, dueInSeconds, lease, attempts, tries, ageSeconds],
  );
}

/** Records failures of a destination. `openForSeconds`: its circuit is open; a negative number makes a probe due. */
export async function givenFailures(
  pool: Pool,
  destinationId: string,
  { openForSeconds = null, failingSeconds = 0 }: { openForSeconds?: number | null; failingSeconds?: number } = {},
): Promise<void> {
  await pool.query(
    `insert into destination_failures (destination_id, open_until, open_seconds, last_reason_code, failing_since)
     values ($1, now() + make_interval(secs => $2), case when $2 is not null then 2 end, 'HTTP_5XX',
             now() - make_interval(secs => $3))`,
    [destinationId, openForSeconds, failingSeconds],
  );
}
