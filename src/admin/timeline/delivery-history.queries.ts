import type { TenantIds } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import type { STORED_DELIVERY_STATUSES } from '../../delivery-state/delivery';
import { isLimitedTo } from '../audit/audit.queries';

/** What a timeline calls a destination. A deleted one has only its id. */
export const labelOf = (destination: string, id: string): string =>
  `coalesce(${destination}.uid, ${destination}.url, 'destination ' || ${id})`;

export interface DeliveryOfTimeline {
  /** When it was recorded. */
  at: string;
  destinationId: string;
  /** What the text calls the destination. */
  destination: string;
  generation: number;
  status: (typeof STORED_DELIVERY_STATUSES)[number];
  attempts: number;
  exhausted: boolean;
  lastReasonCode: string | null;
  lastStatusCode: number | null;
  settledAt: string | null;
  /** The backfill, or the replay to one destination, that made it. */
  replayId: string | null;
  replayMode: string | null;
  /** Who started that. Null if the actor may not be shown. */
  requestedBy: string | null;
  note: string | null;
}

/** Lists at most `limit` deliveries of an event, the newest first. `tenantIds` limits whose actions are named. */
export async function listDeliveriesOfTimeline(
  db: Db,
  eventId: string,
  { tenantIds, limit }: { tenantIds: TenantIds; limit: number },
): Promise<DeliveryOfTimeline[]> {
  const shown = isLimitedTo('$2', 'a.tenant_ids');
  const { rows } = await db.query<DeliveryOfTimeline>(
    `select d.created_at as at, d.destination_id as "destinationId", ${labelOf('t', 'd.destination_id')} as destination,
            d.generation, d.status, d.attempts, d.exhausted, d.last_reason_code as "lastReasonCode",
            d.last_status_code as "lastStatusCode", d.settled_at as "settledAt", d.replay_id as "replayId",
            r.mode as "replayMode", case when ${shown} then r.requested_by end as "requestedBy",
            case when ${shown} then a.note end as note
       from (select * from deliveries where event_id = $1 order by created_at desc limit $3) d
       left join destinations t on t.id = d.destination_id
       left join replays r on r.id = d.replay_id
       left join admin_audit a on a.id = d.replay_id
      order by d.created_at desc`,
    [eventId, tenantIds, limit],
  );
  return rows;
}

export interface DeliveryAttemptOfTimeline {
  at: string;
  destinationId: string;
  destination: string;
  generation: number;
  attemptNumber: number;
  reasonCode: string;
  statusCode: number | null;
  durationMs: number;
  responseExcerpt: string | null;
}

/** Lists at most `limit` attempts of all deliveries of an event, the newest first. */
export async function listDeliveryAttemptsOfTimeline(
  db: Db,
  eventId: string,
  limit: number,
): Promise<DeliveryAttemptOfTimeline[]> {
  const { rows } = await db.query<DeliveryAttemptOfTimeline>(
    `select a.at, a.destination_id as "destinationId", ${labelOf('t', 'a.destination_id')} as destination, a.generation,
            a.attempt_number as "attemptNumber", a.reason_code as "reasonCode", a.status_code as "statusCode",
            a.duration_ms as "durationMs", a.response_excerpt as "responseExcerpt"
       from (select * from delivery_attempts where event_id = $1 order by at desc limit $2) a
       left join destinations t on t.id = a.destination_id
      order by a.at desc, a.attempt_number desc`,
    [eventId, limit],
  );
  return rows;
}
