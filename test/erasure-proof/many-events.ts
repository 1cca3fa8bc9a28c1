import type { Pool } from 'pg';

export interface ManyEvents {
  tenantId: string;
  events: number;
  subjects: number;
  /** In the payload, in the message of a failure and in the answer of a receiver of each event of subject 0. */
  secret: string;
}

const PART = 50_000;
const DESTINATION = '019a0000-0000-7000-8000-000000000001';

/**
 * Stores events that were completed and delivered within the last hour, directly with SQL. Each event of subject 0 failed
 * once before, and its receiver quoted it.
 */
export async function storeManyEvents(pool: Pool, many: ManyEvents, say: (line: string) => void): Promise<void> {
  for (let from = 0; from < many.events; from += PART) {
    const to = Math.min(from + PART, many.events);
    await pool.query(INSERT, [many.tenantId, many.subjects, many.secret, from, to, many.events, DESTINATION]);
    if (to % (PART * 4) === 0) say(`stored ${to} events`);
  }
  await pool.query('analyze');
}

const INSERT = `
  with made as materialized (
    select i, now() - make_interval(secs => 3600.0 * (1 - i::float8 / $6)) as at, md5(i::text) as h, i % $2 = 0 as wanted
      from generate_series($4::integer, $5::integer - 1) i
  ), stored as (
    insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                        partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
    select (left(uuid_v7_floor(at)::text, 14) || '7' || substr(h, 1, 3) || '-8' || substr(h, 4, 3) || '-' || substr(h, 7, 12))::uuid,
           nextval('outbox_id_seq'), at, at, 200, $1, 'stored-' || i, 'order.paid', 'customer-' || i % $2, 'key-' || i,
           'api', '1.0.0', '1.0', 'c-' || i, decode(h, 'hex'),
           json_build_object('no', i, 'name', case when wanted then $3::text else 'somebody else' end)
      from made returning id, subject, received_at
  ), succeeded as (
    insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms,
                                     worker, created_at)
    select id, 1, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'made', received_at from stored
  ), failed as (
    insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code,
                                     error_message, duration_ms, worker, created_at)
    select id, 1, 1, 1, 'RETRY', 'HANDLER_ERROR', $3, 1, 'made', received_at from stored where subject = 'customer-0'
  ), delivered as (
    insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, settled_at)
    select id, $7::uuid, 1, $1, 'order.paid', 'DELIVERED', 1, received_at from stored
  )
  insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, status_code,
                                 duration_ms, response_excerpt, worker)
  select id, $7::uuid, 1, 1, 'PROCESSED', 200, 1, 'thanks for ' || $3, 'made' from stored where subject = 'customer-0'`;
