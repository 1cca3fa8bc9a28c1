import { ADVISORY_LOCKS } from '../../db/advisory-locks';
import { HISTORY } from '../../db/history/history.queries';
import type { Db } from '../../db/pool';
import { isOrderedByHandler, poisonOf } from '../../event-state/order/ordered-types';
import type { KeyHolder } from '../../event/identity/decide-duplicate';
import type { PreparedEvent, ReceivedBySource } from '../../event/prepare-event';
import type { CommittedEvent } from '../../redis/idempotency-cache';

/** SQLSTATE raised by refuse_partial_claim(). Nothing of the batch was written. */
export const PARTIAL_CLAIM = 'SF001';

type Column = readonly [name: string, type: string, pick: (prepared: PreparedEvent) => string | number | undefined];

/** The columns sent for each event: name, SQL type and value. */
const INPUT: readonly Column[] = [
  ['id', 'uuid', ({ event }) => event.id],
  ['tenant_id', 'text', ({ event }) => event.tenantId],
  ['event_id', 'text', ({ event }) => event.eventId],
  ['type', 'text', ({ event }) => event.type],
  ['subject', 'text', ({ event }) => event.subject],
  ['partition_key', 'text', ({ event }) => event.partitionKey],
  ['occurred_at', 'timestamptz', ({ event }) => event.occurredAt],
  ['received_at', 'timestamptz', ({ event }) => event.receivedAt],
  ['payload', 'text', ({ event }) => event.payloadJson],
  ['extensions', 'text', ({ event }) => event.extensionsJson ?? undefined],
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

/** Sent as well while the database may contain keys of an earlier build. */
const LEGACY_INPUT: readonly Column[] = [
  ...INPUT,
  ['legacy_derived', 'text', ({ legacy }) => legacy?.derived],
  ['legacy_event_id', 'text', ({ legacy }) => legacy?.eventId],
  ['handover', 'text', ({ legacy }) => legacy?.handover],
];

/** Sent as well when an event of the batch came through a source. */
const SOURCE_INPUT: readonly Column[] = [
  ['source_id', 'uuid', ({ event }) => event.sourceId ?? undefined],
  ['request_id', 'uuid', ({ received }) => received?.requestId],
];

/** Sent as well when an event of the batch is made from a rejection. */
const REJECTION_INPUT: readonly Column[] = [['rejection_digest', 'text', ({ rejectionDigest }) => rejectionDigest]];

/**
 * Joins the values of a column into one text parameter. An array parameter is slower: pg escapes its elements one by
 * one, which took an eighth of the api's time. Neither an envelope field (see validateEnvelope) nor JSON text can
 * contain this character. An empty value means null, so no value may be empty.
 */
const SEPARATOR = '\x1f';

const inputOf = (columns: readonly Column[]): string => `
    select * from unnest(${columns.map(([, type], i) => `string_to_array($${i + 1}, E'\\x1f', '')::${type}[]`).join(', ')})
      as t (${columns.map(([name]) => name).join(', ')})
     where (select taken from turns) >= 0`;

type StatementPart = 'input' | 'furtherKeys' | 'furtherCount' | 'got' | 'sourceColumns' | 'requests';

const ORDER_LOCKS = 256;

/**
 * The tenants of the batch with an ordered destination or events that a handler takes in order, almost always none. Evaluating it takes a lock for each until the
 * commit, before any position is drawn or key is claimed: so of two events of such a tenant, the one with the lower
 * outbox_id is visible first, whichever processes store them. Locks are taken in order, one for many tenants.
 */
const ORDERED_TENANTS = `
  turns as materialized (
    select count(*) as taken
      from (select pg_advisory_xact_lock(${ADVISORY_LOCKS.orderOfTenant}, n)
              from (select distinct abs(hashtext(tenant_id) % ${ORDER_LOCKS}) as n
                      from (select tenant_id from destinations
                             where ordering = 'key' and tenant_id = any (string_to_array($2, E'\\x1f', ''))
                            union all
                            select tenant_id
                              from unnest(string_to_array($2, E'\\x1f', ''), string_to_array($4, E'\\x1f', ''))
                                     as t (tenant_id, type)
                             where ${isOrderedByHandler('t')}) ordered
                     order by n) tenants) locked
  )`;

/**
 * `got` counts the keys that each event claimed, without the one for an earlier build. `furtherCount` is added to the
 * number of keys that it must have claimed. `sourceColumns` and `requests` are empty unless events came through a source.
 */
const storeEventsBy = ({
  input,
  furtherKeys,
  furtherCount,
  got,
  sourceColumns,
  requests,
}: Record<StatementPart, string>): string => `
  with ${ORDERED_TENANTS}, input as materialized (${input}
  ), keys as (
    insert into idempotency_keys (digest, event_id, fingerprint, legacy)
    select digest, id, decode(fingerprint, 'hex'), null
      from (select decode(key_digest, 'hex') as digest, id, fingerprint from input
            union all
            select decode(event_id_digest, 'hex'), id, fingerprint from input where event_id_digest is not null
            ${furtherKeys}) k
     order by digest
    on conflict (digest) do nothing
    returning event_id, digest
  ), winners as materialized (
    select input.*, nextval('outbox_id_seq') as outbox_id
      from input join (${got}) won on won.event_id = input.id
     where case when won.got = 1 + (input.event_id_digest is not null)::integer${furtherCount} then true
                else refuse_partial_claim() end
     order by input.id
  ), stored as (
    insert into events (id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
                        partition_key, source, schema_version, spec_version, correlation_id, traceparent, hash,
                        extensions, payload${sourceColumns})
    select id, outbox_id, occurred_at, received_at, size_bytes, tenant_id, event_id, type, subject,
           partition_key, source, schema_version, spec_version, correlation_id, traceparent, decode(hash, 'hex'),
           extensions::json,
           payload::json${sourceColumns}
      from winners
  ), queued as (
    insert into outbox (id, event_id, tenant_id, destination) select outbox_id, id, tenant_id, 'main' from winners
  ), ordered as (
    insert into ordered_events (event_id, tenant_id, type, order_key, position, on_poison)
    select id, tenant_id, type, order_key(partition_key), outbox_id, ${poisonOf('winners')} from winners
     where (select taken from turns) > 0
       and (exists (select from destinations d where d.tenant_id = winners.tenant_id and d.ordering = 'key')
            or ${isOrderedByHandler('winners')})
  )${requests}
  select ${HISTORY} as history,
         case when count(*) < cardinality(string_to_array($1, E'\\x1f', '')) then coalesce(array_agg(id), '{}') end as ids
    from winners`;

export interface StoredEvents {
  /** In the order of the batch. */
  stored: readonly PreparedEvent[];
  /** The history of the database in which they were stored; null if it could not be told. */
  history: string | null;
}

/** What a batch has besides plain events. */
interface BatchKinds {
  /** Omits events whose legacy keys are taken, and also claims the key of each that an earlier build would look up. */
  legacy: boolean;
  /** Stores the requests of sources that led to an event. */
  fromSources: boolean;
  /** Also claims the key of the rejection that an event is made from. */
  fromRejections: boolean;
}

interface StoreStatement {
  name: string;
  text: string;
  columns: readonly Column[];
}

/** The values sent for each request of a source. JSON text has no control characters, so none contains SEPARATOR. */
const REQUEST_INPUT: readonly ((request: ReceivedBySource) => string | undefined)[] = [
  ({ requestId }) => requestId,
  ({ sourceId }) => sourceId,
  ({ requestJson }) => requestJson,
  ({ body }) => body && `x${body.toString('hex')}`, // an empty value means null, and a body may be empty
];

/** A request is stored with its first event. The next statement of the batch may store further ones. */
const insertRequests = (parameters: number): string => {
  const input = REQUEST_INPUT.map((_, i) => `string_to_array($${parameters + i + 1}, E'\\x1f', '')`);
  return `, requests as (
    insert into received_requests (id, source_id, request, body)
    select r.id::uuid, r.source_id::uuid, r.request::json, decode(substr(r.body, 2), 'hex')
      from unnest(${input.join(', ')}) as r (id, source_id, request, body)
     where exists (select from winners where winners.request_id = r.id::uuid)
    on conflict (id) do nothing
  )`;
};

const statementFor = ({ legacy, fromSources, fromRejections }: BatchKinds): StoreStatement => {
  const columns = [
    ...(legacy ? LEGACY_INPUT : INPUT),
    ...(fromSources ? SOURCE_INPUT : []),
    ...(fromRejections ? REJECTION_INPUT : []),
  ];
  const handoverKey = `union all
            select decode(handover, 'hex'), id, fingerprint from input where handover is not null`;
  const keyOfRejection = `union all
            select decode(rejection_digest, 'hex'), id, fingerprint from input where rejection_digest is not null`;
  const unlessLegacy = `
       and not exists (select from idempotency_keys k where k.legacy and k.digest = decode(legacy_derived, 'hex'))
       and not exists (select from idempotency_keys k where k.legacy and k.digest = decode(legacy_event_id, 'hex'))`;
  return {
    name: `store-events${legacy ? '-beside-legacy' : ''}${fromSources ? '-of-sources' : ''}${fromRejections ? '-again' : ''}`,
    columns,
    text: storeEventsBy({
      input: inputOf(columns) + (legacy ? unlessLegacy : ''),
      furtherKeys: [...(legacy ? [handoverKey] : []), ...(fromRejections ? [keyOfRejection] : [])].join(
        '\n            ',
      ),
      furtherCount: fromRejections ? ' + (input.rejection_digest is not null)::integer' : '',
      got: legacy
        ? `select keys.event_id, count(*) filter (where digest is distinct from decode(handover, 'hex')) as got
          from keys join input on input.id = keys.event_id group by keys.event_id`
        : 'select event_id, count(*) as got from keys group by event_id',
      sourceColumns: fromSources ? ', source_id, request_id' : '',
      requests: fromSources ? insertRequests(columns.length) : '',
    }),
  };
};

const EITHER = [true, false];
const STATEMENTS = EITHER.flatMap((legacy) =>
  EITHER.flatMap((fromSources) => EITHER.map((fromRejections) => ({ legacy, fromSources, fromRejections }))),
).map((kinds) => ({ ...kinds, ...statementFor(kinds) }));

/**
 * Claims the keys of the events and, for each event that got all of its keys, writes the event and its outbox entry.
 * This is one autocommit statement and one round trip (I1). The events that it does not store lost a key.
 *
 * Keys are inserted in sort order, because two batches that claim the same keys in opposite order would deadlock. An
 * event that gets only some of its keys fails the whole statement with PARTIAL_CLAIM, because a single statement
 * cannot release the others. The caller then looks up the holders of the keys and sends the remaining events again.
 * The events of one call must not share a key.
 */
export async function storeEvents(db: Db, batch: readonly PreparedEvent[]): Promise<StoredEvents> {
  const legacy = batch.some((prepared) => prepared.legacy !== undefined);
  const requests = requestsOf(batch);
  const fromSources = requests.length > 0;
  const fromRejections = batch.some(({ rejectionDigest }) => rejectionDigest !== undefined);
  const { name, text, columns } = STATEMENTS.find(
    (one) => one.legacy === legacy && one.fromSources === fromSources && one.fromRejections === fromRejections,
  ) as StoreStatement;
  const values: unknown[] = columns.map(([, , pick]) => batch.map(pick).join(SEPARATOR));
  if (fromSources) {
    values.push(...REQUEST_INPUT.map((pick) => requests.map(pick).join(SEPARATOR)));
  }
  const { rows } = await db.query<{ history: string | null; ids: string[] | null }>({ name, text, values });
  const [{ history, ids }] = rows as [(typeof rows)[number]];
  if (!ids) return { stored: batch, history }; // all were stored
  const won = new Set(ids);
  return { stored: batch.filter(({ event }) => won.has(event.id)), history };
}

/** Returns the requests of sources. The events of one request follow each other; a request that is there twice is stored once. */
function requestsOf(batch: readonly PreparedEvent[]): ReceivedBySource[] {
  const requests: ReceivedBySource[] = [];
  for (const { received } of batch) {
    if (received && received.requestId !== requests.at(-1)?.requestId) requests.push(received);
  }
  return requests;
}

export type StoredHolder = CommittedEvent & Required<Pick<KeyHolder, 'legacy' | 'source'>>;

/** Returns the holders of the keys that are taken. If retention has removed an event, its facts come from the key. */
export async function findKeyHolders(db: Db, digests: readonly string[]): Promise<Map<string, StoredHolder>> {
  const { rows } = await db.query<StoredHolder & { digest: string }>({
    name: 'find-key-holders',
    text: `
      select encode(k.digest, 'hex') as digest, k.event_id as id, encode(k.fingerprint, 'hex') as fingerprint,
             coalesce(e.event_id, k.event_id::text) as "eventId", coalesce(e.received_at, k.created_at) as "receivedAt",
             coalesce(e.correlation_id, '') as "correlationId", encode(coalesce(e.hash, k.fingerprint), 'hex') as hash,
             coalesce(k.legacy, false) as legacy, e.source, ${HISTORY} as history
        from idempotency_keys k left join events e on e.id = k.event_id
       where k.digest = any (select decode(digest, 'hex') from unnest($1::text[]) as digest)`,
    values: [digests],
  });
  return new Map(rows.map(({ digest, ...holder }) => [digest, holder]));
}
