import type { Pool } from 'pg';
import { HISTORY } from '../db/history/history.queries';
import { queryWithSettings } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import { revisedEventJson, type RevisedEvent } from '../revisions/revised-event';
import { withRevisions } from '../revisions/with-revisions';
import type { DeliveryKey } from './delivery';
import { isInDueOrder } from './delivery-keys';
import { PLANS_BY_INDEX } from './plans-by-index.queries';

/**
 * Whether a destination may be sent to: it is enabled and not paused, and its circuit is closed. `to_` is its row of
 * destinations, `failing` its row of destination_failures, if there is one. Nothing else decides whether a delivery that
 * is due may be leased, apart from PROBING.
 */
export const CLAIMABLE = '(to_.enabled and to_.paused_at is null and failing.open_until is null)';

/** The open circuit of such a destination may be probed. */
const PROBING = '(to_.enabled and to_.paused_at is null and failing.open_until <= now())';

/** What an event needs for being sent. */
export type SentEvent = Pick<
  DispatchedEvent,
  'id' | 'tenantId' | 'type' | 'receivedAt' | 'correlationId' | 'traceparent' | 'revision' | 'body'
>;

/** A delivery whose lease this process holds. */
export interface LeasedDelivery extends DeliveryKey {
  /** Proof of the lease (I4). */
  lease: string;
  /** Attempts so far. */
  attempts: number;
  /** Tries of the retry schedule that are used up. */
  tries: number;
  /** Since the delivery was created, at its lease. */
  ageSeconds: number;
  /** It probes an open circuit. */
  probes: boolean;
  event: SentEvent;
}

export interface DeliveryClaimRequest {
  destinationId: string;
  /** Most deliveries to lease. */
  free: number;
  leaseSeconds: number;
}

/** The result of one claim. */
export interface DeliveryClaim {
  deliveries: LeasedDelivery[];
  /** Leased rows of the queue whose event, revision or delivery retention has removed. */
  orphans: DeliveryKey[];
  /** True if the claim ended at `maxBytes`, and more are due. */
  cut: boolean;
  /** The history of the database in which they were claimed (db/history); undefined if nothing was. */
  history: string | undefined;
}

/** `eventId` of a row is the producer's; `keyEventId` is that of the key. */
type ClaimedRow = RevisedEvent &
  Pick<LeasedDelivery, 'destinationId' | 'generation' | 'attempts' | 'tries' | 'ageSeconds' | 'probes'> & {
    keyEventId: string;
    due: number;
    history: string | null;
  };

/**
 * Leases deliveries that are due, oldest first: of each destination at most `free`, and of one whose open circuit may be
 * probed exactly one. Claiming a probe moves `open_until` to the end of the lease, so that there is one probe in the
 * whole installation. A claim ends once the events reach `maxBytes`; the last one may exceed it. A revision counts as a
 * sixteenth of that. It waits for no row.
 *
 * A revision that is made while this runs is in the row of the queue, which is read after it was locked. What the queue
 * gets later is in `deliveries`.
 *
 * It names `events` before `deliveries`, because retention locks these tables in this order.
 *
 * The commit does not wait for the disk. If a crash of PostgreSQL undoes a claim, the deliveries are claimed again, and
 * the old token settles nothing.
 *
 * @param lease a new token for every claim
 */
export async function claimDeliveries(
  pool: Pool,
  requests: readonly DeliveryClaimRequest[],
  lease: string,
  maxBytes: number,
): Promise<DeliveryClaim> {
  const statement = { name: 'claim-deliveries', ...claimDeliveriesStatement(requests, lease, maxBytes) };
  const { rows } = await queryWithSettings<ClaimedRow>(pool, DELIVERY_CLAIM_SETTINGS, statement);
  const { found, missing } = await withRevisions(pool, rows);
  return {
    deliveries: found.filter((row) => row.attempts !== null).map((row) => leasedDelivery(row, lease)),
    orphans: [...missing, ...found.filter((row) => row.attempts === null)].map(keyOfRow),
    cut: rows.length < (rows[0]?.due ?? 0),
    history: rows[0]?.history ?? undefined,
  };
}

export const DELIVERY_CLAIM_SETTINGS = `set local synchronous_commit = off; ${PLANS_BY_INDEX}`;

const BYTES = 'case when coalesce(due.revision, d.revision) is null then coalesce(e.size_bytes, 0) else $5 / 16 end';

/** Exported for the test of its plan. */
export const claimDeliveriesStatement = (
  requests: readonly DeliveryClaimRequest[],
  lease: string,
  maxBytes: number,
): { text: string; values: unknown[] } => ({
  text: `
    with asked as (
      select * from unnest($2::uuid[], $3::integer[], $4::double precision[]) a (destination_id, free, lease_seconds)
    ), probe as materialized (
      select failing.destination_id
        from destination_failures failing
       where failing.destination_id = any ($2::uuid[]) and failing.open_until <= now()
         and exists (select from destinations to_ where to_.id = failing.destination_id and ${PROBING})
         and exists (select from delivery_queue queued
                      where queued.destination_id = failing.destination_id and queued.due_at <= now()
                        and ${isInDueOrder('queued')})
       order by failing.destination_id
         for update skip locked
    ), moved as (
      update destination_failures failing set open_until = now() + make_interval(secs => a.lease_seconds)
        from probe join asked a using (destination_id)
       where failing.destination_id = probe.destination_id
    ), due as materialized (
      select queued.*, a.lease_seconds, probe.destination_id is not null as probes
        from asked a
        join destinations to_ on to_.id = a.destination_id
        left join destination_failures failing on failing.destination_id = a.destination_id
        left join probe on probe.destination_id = a.destination_id
       cross join lateral (
         select event_id, destination_id, generation, due_at, revision from delivery_queue q
          where destination_id = a.destination_id and due_at <= now() and ${isInDueOrder('q')}
            and (probe.destination_id is not null or ${CLAIMABLE})
          order by due_at limit case when probe.destination_id is null then a.free else 1 end
            for update skip locked) queued
    ), read as materialized (
      select due.event_id, due.destination_id, due.generation, due.due_at, due.lease_seconds, due.probes,
             d.attempts, d.tries, d.created_at, greatest(due.revision, d.revision) as revision, e.*,
             sum(${BYTES}) over (order by due.due_at, due.event_id, due.destination_id) - ${BYTES} as bytes_before
        from due
        left join lateral (
               select id, tenant_id, events.event_id as producers_id, type, subject, partition_key, occurred_at,
                      received_at, payload, extensions, source, schema_version, spec_version, hash, correlation_id,
                      traceparent, size_bytes, source_id
                 from events where id = due.event_id offset 0) e on true
        left join lateral (
               select attempts, tries, created_at, deliveries.revision from deliveries
                where event_id = due.event_id and destination_id = due.destination_id and generation = due.generation
               offset 0) d on true
    ), leased as (
      update delivery_queue q set lease = $1, due_at = now() + make_interval(secs => read.lease_seconds)
        from read
       where read.bytes_before < $5 and q.event_id = read.event_id and q.destination_id = read.destination_id
         and q.generation = read.generation
    )
    select event_id as "keyEventId", destination_id as "destinationId", generation, probes, attempts, tries, revision,
           extract(epoch from now() - created_at)::double precision as "ageSeconds", id, tenant_id as "tenantId", producers_id as "eventId", type, subject,
           partition_key as "partitionKey", occurred_at as "occurredAt", received_at as "receivedAt",
           payload as "payloadJson", extensions as "extensionsJson", source, schema_version as "schemaVersion",
           spec_version as "specVersion", encode(hash, 'hex') as hash, correlation_id as "correlationId", traceparent,
           size_bytes as "sizeBytes", source_id as "sourceId", (select count(*) from due)::integer as due,
           ${HISTORY} as history
      from read where bytes_before < $5 order by due_at, event_id, destination_id`,
  values: [
    lease,
    requests.map(({ destinationId }) => destinationId),
    requests.map(({ free }) => free),
    requests.map(({ leaseSeconds }) => leaseSeconds),
    maxBytes,
  ],
});

const keyOfRow = ({ keyEventId, destinationId, generation }: ClaimedRow): DeliveryKey => ({
  eventId: keyEventId,
  destinationId,
  generation,
});

function leasedDelivery(row: ClaimedRow, lease: string): LeasedDelivery {
  const { id, tenantId, type, receivedAt, correlationId, attempts, tries, ageSeconds, probes } = row;
  const optional = {
    ...(row.traceparent ? { traceparent: row.traceparent } : {}),
    ...(row.revision === null ? {} : { revision: row.revision }),
  };
  const body = Buffer.from(revisedEventJson(row));
  const event = { id, tenantId, type, receivedAt, correlationId, ...optional, body };
  return { ...keyOfRow(row), lease, attempts, tries, ageSeconds, probes, event };
}
