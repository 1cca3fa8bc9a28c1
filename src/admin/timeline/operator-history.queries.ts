import type { TenantIds } from '../../access/acting-operator';
import type { Db } from '../../db/pool';
import { isLimitedTo } from '../audit/audit.queries';
import { labelOf } from './delivery-history.queries';
import type { ReplayMode } from '../../event-state/dispatch-replayed.queries';

/** Whose actions are named, and how many. */
export interface OperatorScope {
  tenantIds: TenantIds;
  limit: number;
}

export interface ReplayOfTimeline {
  at: string;
  replayId: string;
  mode: ReplayMode;
  /** The only destination that it sent to; null: as after the first processing. */
  destinationId: string | null;
  destination: string | null;
  generation: number | null;
  dispatchNo: number | null;
  /** Null if it may not be shown. */
  requestedBy: string | null;
  note: string | null;
}

/** Lists at most `limit` replays that have sent the event, the newest first. */
export async function listReplaysOfTimeline(
  db: Db,
  eventId: string,
  { tenantIds, limit }: OperatorScope,
): Promise<ReplayOfTimeline[]> {
  const shown = isLimitedTo('$2', 'a.tenant_ids');
  const { rows } = await db.query<ReplayOfTimeline>(
    `select sent.dispatched_at as at, r.id as "replayId", r.mode, r.filter ->> 'destinationId' as "destinationId",
            case when r.filter ? 'destinationId' then ${labelOf('t', `(r.filter ->> 'destinationId')`)} end as destination,
            sent.generation, sent.dispatch_no as "dispatchNo",
            case when ${shown} then r.requested_by end as "requestedBy", case when ${shown} then a.note end as note
       from (select * from replay_events where event_id = $1 and dispatched_at is not null
              order by dispatched_at desc limit $3) sent
       join replays r on r.id = sent.replay_id
       left join admin_audit a on a.id = r.id
       left join destinations t on t.id = (r.filter ->> 'destinationId')::uuid
      order by sent.dispatched_at desc`,
    [eventId, tenantIds, limit],
  );
  return rows;
}

/** An action that changed the event, or deliveries of it. */
export interface ActionOfTimeline {
  at: string;
  actionId: string;
  action: string;
  destinationIds: string[];
  destinations: string[];
  /** Null if it may not be shown. */
  actor: string | null;
  note: string | null;
}

/** Lists at most `limit` actions that changed the event, the newest first. Ids are UUIDv7, so id order is time order. */
export async function listActionsOfTimeline(
  db: Db,
  eventId: string,
  { tenantIds, limit }: OperatorScope,
): Promise<ActionOfTimeline[]> {
  const shown = isLimitedTo('$2', 'a.tenant_ids');
  const { rows } = await db.query<ActionOfTimeline>(
    `select a.at, a.id as "actionId", a.action, c.destination_ids as "destinationIds",
            array(select ${labelOf('t', 'wanted.id')} from unnest(c.destination_ids) with ordinality as wanted (id, nth)
                    left join destinations t on t.id = wanted.id order by nth) as destinations,
            case when ${shown} then a.actor end as actor, case when ${shown} then a.note end as note
       from (select * from event_actions where event_id = $1 order by action_id desc limit $3) c
       join admin_audit a on a.id = c.action_id
      order by c.action_id desc`,
    [eventId, tenantIds, limit],
  );
  return rows;
}
