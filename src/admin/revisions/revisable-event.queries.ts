import type { TenantIds } from '../../access/acting-operator';
import { IS_OF_EARLIER_BUILD } from '../../db/application-name';
import type { Db } from '../../db/pool';
import { isSuperseded } from '../../delivery-state/delivery-keys';
import { DEAD_AFTER_SECONDS } from '../../delivery-state/delivery-workers.queries';
import type { Event } from '../../event/event';
import type { RevisionStanding } from './decide-revision';

/** An event as it was sent, and what decides whether it may get a revision. */
export type RevisableEvent = Event & RevisionStanding;

/**
 * Finds an event that the operator may change. A process of an earlier build is noticed by its sessions, also one that
 * does nothing at the moment; a worker also by its last sign of life.
 */
export async function findRevisable(db: Db, id: string, tenantIds: TenantIds): Promise<RevisableEvent | undefined> {
  const { rows } = await db.query<RevisableEvent>(
    `select e.id, e.tenant_id as "tenantId", e.event_id as "eventId", e.type, e.subject,
            e.partition_key as "partitionKey", e.occurred_at as "occurredAt", e.received_at as "receivedAt",
            e.payload as "payloadJson", e.extensions as "extensionsJson", e.source, e.source_id as "sourceId",
            e.schema_version as "schemaVersion", e.spec_version as "specVersion", encode(e.hash, 'hex') as hash,
            e.correlation_id as "correlationId", e.traceparent, e.size_bytes as "sizeBytes",
            s.revision, s.status as state, e.erased_at is not null as erased,
            exists (select from processing_attempts a
                     where a.event_id = e.id and a.generation = coalesce(s.generation, 1) and a.status = 'SUCCESS')
              as "handlersDone",
            exists (select from replay_events r where r.event_id = e.id and r.outcome = 'PENDING') as "awaitsReplay",
            exists (select from deliveries d
                     where d.event_id = e.id and d.status = 'FAILED' and not ${isSuperseded('d')}) as "hasFailedDelivery",
            exists (select from pg_stat_activity where ${IS_OF_EARLIER_BUILD})
              or exists (select from delivery_workers w
                          where w.knows_revisions is not true and w.seen_at >= now() - make_interval(secs => $3))
              as "earlierBuildRuns"
       from events e left join event_state s on s.event_id = e.id
      where e.id = $1 and ($2::text[] is null or e.tenant_id = any ($2))`,
    [id, tenantIds, DEAD_AFTER_SECONDS],
  );
  return rows[0];
}
