import type { CommittedEvent } from '../../redis/idempotency-cache';
import type { Db } from '../../db/pool';
import type { PreparedEvent } from '../../event/prepare-event';

/** SQLSTATE raised by refuse_partial_claim(). Nothing of the batch was written. */
export const PARTIAL_CLAIM = 'SF001';

/** The columns sent for each event: name, SQL type and value. */
const INPUT: readonly [name: string, type: string, pick: (prepared: PreparedEvent) => string | number | undefined][] = [
  ['id', 'uuid', ({ event }) => event.id],
  ['tenant_id', 'text', ({ event }) => event.tenantId],
  ['event_id', 'text', ({ event }) => event.eventId],
  ['type', 'text', ({ event }) => event.type],
  ['subject', 'text', ({ event }) => event.subject],
  ['partition_key', 'text', ({ event }) => event.partitionKey],
  ['occurred_at', 'timestamptz', ({ event }) => event.occurredAt],
  ['received_at', 'timestamptz', ({ event }) => event.receivedAt],
  ['payload', 'text', ({ event }) => event.payloadJson],
  ['source', 'text', ({ event }) => event.source],
  ['schema_version', 'text', ({ event }) => event.schemaVersion],
  ['spec_version', 'text', ({ event }) => event.specVersion],
  ['hash', 'text', ({ event }) => event.hash],
  ['correlation_id', 'text', ({ event }) => event.correlationId],
  ['traceparent', 'text', ({ event }) => event.traceparent],
  ['size_bytes', 'integer', ({ event }) => event.sizeBytes],
  ['key_digest', 'text', ({ keyDigest }) => keyDigest],
  ['event_id_digest', 'text', ({ eventIdDigest }) => eventIdDigest],
  ['fingerprint', 'text', ({ fingerprint }) => fingerprint],
];

/**
 * Joins the values of a column into one text parameter. An array parameter is slower: pg escapes its elements one by
 * one, which took an eighth of the api's time. Neither an envelope field (see validateEnvelope) nor JSON text can
 * contain this character. An empty value means null, so no value may be empty.
 */
const SEPARATOR = '\x1f';

const STORE_EVENTS = `
  with input as materialized (
    select * from unnest(${INPUT.map(([, type], i) => `string_to_array($${i + 1}, E'\\x1f', '')::${type}[]`).join(', ')})
      as t (${INPUT.map(([name]) => name).join(', ')})
  ), keys as (
    insert into idempotency_keys (digest, event_id, fingerprint)
    select digest, id, decode(fingerprint, 'hex')
      from (select decode(key_digest, 'hex') as digest, id, fingerprint from input
            union all
            select decode(event_id_digest, 'hex'), id, fingerprint from input where event_id_digest is not null) k
     order by digest
    on conflict do nothing
    returning event_id
  ), winners as materialized (
    select input.*, nextval('outbox_id_seq') as outbox_id
      from input join (select event_id, count(*) as got from keys group by event_id) won on won.event_id = input.id
     where case when won.got = 1 + (input.event_id_digest is not null)::integer then true
                else refuse_partial_claim() end
     order by input.id
  ), stored as (
    insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                        partition_key, source, schema_version, spec_version, correlation_id, traceparent, hash, payload)
    select id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
           partition_key, source, schema_version, spec_version, correlation_id, traceparent, decode(hash, 'hex'),
           payload::json
      from winners
  ), queued as (
    insert into outbox (id, event_id, destination) select outbox_id, id, 'main' from winners
  )
  select id from winners`;

/**
 * Claims the keys of the events and, for each event that got all of its keys, writes the event and its outbox entry.
 * This is one autocommit statement and one round trip (I1). Returns the ids that were stored; the other events lost a
 * key.
 *
 * Keys are inserted in sort order, because two batches that claim the same keys in opposite order would deadlock. An
 * event that gets only one of its two keys fails the whole statement with PARTIAL_CLAIM, because a single statement
 * cannot release the other key. The caller then looks up the holders of the keys and sends the remaining events again.
 * The events of one call must not share a key.
 */
export async function storeEvents(db: Db, batch: readonly PreparedEvent[]): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>({
    name: 'store-events',
    text: STORE_EVENTS,
    values: INPUT.map(([, , pick]) => batch.map(pick).join(SEPARATOR)),
  });
  return new Set(rows.map((row) => row.id));
}

/** Returns the holders of the keys that are taken. If retention has removed an event, its facts come from the key. */
export async function findKeyHolders(db: Db, digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
  const { rows } = await db.query<CommittedEvent & { digest: string }>({
    name: 'find-key-holders',
    text: `
      select encode(k.digest, 'hex') as digest, k.event_id as id, encode(k.fingerprint, 'hex') as fingerprint,
             coalesce(e.event_id, k.event_id::text) as "eventId", coalesce(e.received_at, k.created_at) as "receivedAt",
             coalesce(e.correlation_id, '') as "correlationId", encode(coalesce(e.hash, k.fingerprint), 'hex') as hash
        from idempotency_keys k left join events e on e.id = k.event_id
       where k.digest = any (select decode(digest, 'hex') from unnest($1::text[]) as digest)`,
    values: [digests],
  });
  return new Map(rows.map(({ digest, ...holder }) => [digest, holder]));
}
