import { rowsOf } from '../../support/processes/e2e-own-servers';

/** Tenant of the events that exist before the run. */
export const PAST_TENANT = 'past';

const KEYS = 1_000;
const EVENTS = 20;
/** Both are past EVENT_RETENTION_DAYS. The younger week holds an unresolved dead letter. */
const WEEKS_AGO = { settled: 10, unresolved: 9 };
/** Past IDEMPOTENCY_DB_RETENTION_DAYS. */
const KEYS_DAYS_AGO = 100;

const week = (weeksAgo: number): string => `date_trunc('week', now() - interval '${weeksAgo} weeks', 'UTC')`;
const suffix = (weeksAgo: number): string => `to_char(${week(weeksAgo)} at time zone 'UTC', '"_y"IYYY"w"IW')`;

const addWeek = (weeksAgo: number): string => `
  select attach_partition(parent, parent || ${suffix(weeksAgo)}, uuid_v7_floor(${week(weeksAgo)})::text,
                          uuid_v7_floor(${week(weeksAgo)} + interval '7 days')::text, '')
    from unnest(array['events', 'processing_attempts']) as parent`;

/** The ids lie within the week. */
const addEvents = (weeksAgo: number): string => `
  with ids as (
    select n, (left(uuid_v7_floor(${week(weeksAgo)} + interval '1 day')::text, 24) || lpad(to_hex(n), 12, '0'))::uuid as id
      from generate_series(1, ${EVENTS}) as n
  ), stored as (
    insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                        partition_key, source, schema_version, spec_version, correlation_id, hash, payload)
    select id, 0, ${week(weeksAgo)}, ${week(weeksAgo)}, 2, '${PAST_TENANT}', 'past-${weeksAgo}-' || n, 'past', 'past',
           'past', 'api', '1.0.0', '1.0', 'past', '\\x00', '1' from ids
  )
  insert into processing_attempts (event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms, worker)
  select id, 1, 1, 1, 'SUCCESS', 'PROCESSED', 1, 'past:1' from ids`;

const ADD_DEAD_LETTER = `
  insert into dead_letters (event_id, tenant_id, type, reason_code, attempts, first_failed_at, last_failed_at)
  select id, tenant_id, type, 'HANDLER_ERROR', 1, received_at, received_at
    from events where event_id = 'past-${WEEKS_AGO.unresolved}-1'`;

const ADD_KEYS = `
  insert into idempotency_keys (digest, event_id, fingerprint, created_at)
  select sha256(('past ' || n)::bytea), gen_random_uuid(), sha256('past'), now() - interval '${KEYS_DAYS_AGO} days'
    from generate_series(1, ${KEYS}) as n`;

/** Adds old events and keys. Retention has to drop most of them during the run, but not the week with the dead letter. */
export async function addPast(databaseUrl: string): Promise<void> {
  const weeks = Object.values(WEEKS_AGO).flatMap((weeksAgo) => [addWeek(weeksAgo), addEvents(weeksAgo)]);
  for (const statement of [...weeks, ADD_DEAD_LETTER, ADD_KEYS]) await rowsOf(databaseUrl, statement);
}

/** Select columns that count what retention kept or dropped wrongly. */
export const PAST_LEFTOVERS = `
  (select count(*)::int from pg_class where relname = 'events' || ${suffix(WEEKS_AGO.settled)})
    as "weeks of events past their retention",
  (select ${EVENTS} - count(*)::int from events where event_id like 'past-${WEEKS_AGO.unresolved}-%')
    as "events dropped beside an unresolved dead letter",
  (select count(*)::int from idempotency_keys where created_at < now() - interval '${KEYS_DAYS_AGO - 1} days')
    as "keys past their retention",
  (select count(*)::int from events e
    where tenant_id <> '${PAST_TENANT}' and not exists (select from idempotency_keys k where k.event_id = e.id))
    as "events without a key"`;
