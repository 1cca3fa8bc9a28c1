import type { Db } from '../../db/pool';
import type { TenantIds } from '../../access/acting-operator';
import { isLimitedTo } from '../audit/audit.queries';
import { REPLAY_MODES, type ReplayMode } from '../../event-state/dispatch-replayed.queries';

/** A backfill makes deliveries to one destination only (backfill.queries.ts). */
export const RECORDED_MODES = [...REPLAY_MODES, 'backfill'] as const;
export type RecordedMode = (typeof RECORDED_MODES)[number];

export type ReplayStatus = 'RUNNING' | 'DONE' | 'CANCELLED';

/** An operator's request to process stored events again. Table replay_events lists its events and their outcomes. */
export interface Replay {
  id: string;
  mode: RecordedMode;
  status: ReplayStatus;
  filter: object;
  matched: number;
  /** The filter matched more events than the limit allowed. */
  more: boolean;
  requestedBy: string;
  correlationId: string;
  createdAt: string;
  finishedAt: string | null;
}

/** A replay, and the tenants that its audit entry is limited to; null: all. */
export type FoundReplay = Replay & { tenantIds: TenantIds };
export type NewReplay = Omit<Replay, 'status' | 'createdAt' | 'finishedAt'>;

/** The audit entry of a replay has its id, apart from replays that an earlier build started. */
const SELECT_REPLAY = `
  select r.id, r.mode, coalesce(b.status, r.status) as status, r.filter, r.matched, r.more, r.requested_by as "requestedBy",
         r.correlation_id as "correlationId", r.created_at as "createdAt",
         case when b.replay_id is null then r.finished_at else b.finished_at end as "finishedAt",
         a.tenant_ids as "tenantIds"
    from replays r left join admin_audit a on a.id = r.id left join backfills b on b.replay_id = r.id`;

export async function insertReplay(db: Db, replay: NewReplay): Promise<void> {
  const { id, mode, filter, matched, more, requestedBy, correlationId } = replay;
  await db.query(
    `insert into replays (id, mode, filter, matched, more, requested_by, correlation_id)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [id, mode, filter, matched, more, requestedBy, correlationId],
  );
}

/** Finds the replay with this id, if it is limited to these tenants. Null: any replay. */
export async function findReplay(db: Db, id: string, tenantIds: TenantIds): Promise<FoundReplay | undefined> {
  const { rows } = await db.query<FoundReplay>(
    `${SELECT_REPLAY} where r.id = $1 and ${isLimitedTo('$2', 'a.tenant_ids')}`,
    [id, tenantIds],
  );
  return rows[0];
}

/**
 * Lists replays with ids lower than `page.below` that are limited to these tenants, newest first. Null: all replays. Ids
 * are UUIDv7, so id order is time order.
 */
export async function listReplays(
  db: Db,
  page: { below: string | null; limit: number },
  tenantIds: TenantIds,
): Promise<FoundReplay[]> {
  const { rows } = await db.query<FoundReplay>(
    `${SELECT_REPLAY} where ($1::uuid is null or r.id < $1) and ${isLimitedTo('$3', 'a.tenant_ids')}
      order by r.id desc limit $2`,
    [page.below, page.limit, tenantIds],
  );
  return rows;
}

export interface ReplayInHand {
  id: string;
  mode: ReplayMode;
  status: ReplayStatus;
  /** True when the filter selects status DISCARDED or lists event ids. When false, discarded events are skipped. */
  discardedToo: boolean;
  /** Null: events of all tenants. */
  tenantId: string | null;
  /** The one destination that the events are sent to; null: as after their first processing. */
  destinationId: string | null;
}

const IN_HAND = `id, mode, status,
  coalesce(filter ->> 'status' = 'DISCARDED', false) or filter ? 'eventIds' as "discardedToo",
  filter ->> 'tenantId' as "tenantId", filter ->> 'destinationId' as "destinationId"`;

/** Locks a replay for one step. Returns undefined when the replay is finished or another process has locked it. */
export async function lockReplay(db: Db, id: string): Promise<ReplayInHand | undefined> {
  const { rows } = await db.query<ReplayInHand>(
    `select ${IN_HAND} from replays where id = $1 and finished_at is null for update skip locked`,
    [id],
  );
  return rows[0];
}

/** Lists the ids of unfinished replays above `after`, oldest first. */
export async function listUnfinished(db: Db, after: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    'select id from replays where finished_at is null and id > $1 and mode <> $3 order by id limit $2',
    [after, limit, 'backfill'],
  );
  return rows.map(({ id }) => id);
}

/** Finishes a replay that has no pending or dispatched events. */
export async function finishReplay(db: Db, id: string): Promise<void> {
  await db.query(
    `update replays set finished_at = now(), status = case when status = 'RUNNING' then 'DONE' else status end
      where id = $1 and finished_at is null and not exists (
        select from replay_events where replay_id = $1 and outcome in ('PENDING', 'DISPATCHED'))`,
    [id],
  );
}

/** Cancels a replay if it is running. Returns whether it was running. */
export async function cancelReplay(db: Db, id: string): Promise<boolean> {
  const { rowCount } = await db.query(`update replays set status = 'CANCELLED' where id = $1 and status = 'RUNNING'`, [
    id,
  ]);
  return rowCount === 1;
}
