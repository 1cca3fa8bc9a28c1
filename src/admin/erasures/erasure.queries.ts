import type { Db } from '../../db/pool';
import {
  FIRST_PHASE,
  sumOfCounts,
  type Erasure,
  type ErasureInHand,
  type ErasuresFilter,
  type NewErasure,
} from './erasure';
import type { ErasurePlace } from './erasure-place';

export async function insertErasure(db: Db, erasure: NewErasure): Promise<void> {
  const { id, tenantId, subject, eventIds, before, note, below, requestedBy, correlationId } = erasure;
  await db.query(
    `insert into erasures (id, tenant_id, subject, event_ids, before, note, below, requested_by, correlation_id, phase)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [id, tenantId, subject, eventIds, before, note, below, requestedBy, correlationId, FIRST_PHASE],
  );
}

const SELECTION = `id, tenant_id as "tenantId", subject, event_ids::text[] as "eventIds", before, counts`;
const COLUMNS = `${SELECTION}, note, status, statistics, requested_by as "requestedBy", correlation_id as "correlationId",
  created_at as "createdAt", finished_at as "finishedAt"`;

const withAllCounts = <T extends Pick<Erasure, 'counts'>>(row: T): T => ({
  ...row,
  counts: sumOfCounts(row.counts, {}),
});

/** Finds an erasure of one of these tenants. Null: of any tenant. */
export async function findErasure(
  db: Db,
  id: string,
  tenantIds: ErasuresFilter['tenantIds'],
): Promise<Erasure | undefined> {
  const { rows } = await db.query<Erasure>(
    `select ${COLUMNS} from erasures where id = $1 and ($2::text[] is null or tenant_id = any ($2))`,
    [id, tenantIds],
  );
  return rows.map(withAllCounts)[0];
}

/** Lists erasures with ids lower than `page.below`, newest first. */
export async function listErasures(
  db: Db,
  { tenantId, tenantIds }: ErasuresFilter,
  page: { below: string | null; limit: number },
): Promise<Erasure[]> {
  const { rows } = await db.query<Erasure>(
    `select ${COLUMNS} from erasures
      where ($1::text is null or tenant_id = $1) and ($2::text[] is null or tenant_id = any ($2))
        and ($3::uuid is null or id < $3)
      order by id desc limit $4`,
    [tenantId, tenantIds, page.below, page.limit],
  );
  return rows.map(withAllCounts);
}

/**
 * An erasure begins this long after it was asked for. What was being written then, such as an event whose batch had not
 * committed or a request on its way to the inspector, is in the database by that time.
 */
const BEGINS_AFTER_SECONDS = 3;

/**
 * The last look begins this long after the erasure was asked for. The id of a row is made before the row waits for its
 * batch. The statement may then take 30 seconds (statement_timeout), and is repeated if it failed in the first ten.
 */
const LAST_LOOK_AFTER_SECONDS = 90;

/** Once statistics_due_at is set, nothing is left to erase. */
const IS_DUE = `finished_at is null and statistics_due_at is null and created_at <= now() - make_interval(
  secs => case when last_look then ${LAST_LOOK_AFTER_SECONDS} else ${BEGINS_AFTER_SECONDS} end)`;

/** Lists the ids of erasures above `after` that may go on, oldest first. */
export async function listErasuresToDo(db: Db, after: string, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from erasures
      where id > $1 and ${IS_DUE} order by id limit $2`,
    [after, limit],
  );
  return rows.map(({ id }) => id);
}

/** Locks an erasure for one step. Returns undefined when it has ended, must wait, or is locked by another process. */
export async function lockErasure(db: Db, id: string): Promise<ErasureInHand | undefined> {
  const { rows } = await db.query<ErasureInHand>(
    `select ${SELECTION}, phase, position, below, last_look as "lastLook" from erasures
      where id = $1 and ${IS_DUE} for update skip locked`,
    [id],
  );
  return rows.map(withAllCounts)[0];
}

/** Records a step, and where the next one goes on. */
export async function moveErasure(
  db: Db,
  id: string,
  { phase, position, lastLook }: ErasurePlace,
  counts: ErasureInHand['counts'],
): Promise<void> {
  await db.query('update erasures set phase = $2, position = $3, last_look = $4, counts = $5 where id = $1', [
    ...[id, phase, position, lastLook, counts],
  ]);
}

/** Ends an erasure that has not ended. Returns whether it did. */
export async function endErasure(db: Db, id: string, status: 'DONE' | 'CANCELLED'): Promise<boolean> {
  const { rowCount } = await db.query(
    `update erasures set status = $2, finished_at = now() where id = $1 and finished_at is null`,
    [id, status],
  );
  return rowCount === 1;
}
