import type { Pool } from 'pg';
import { ADVISORY_LOCKS, underTransactionLock } from '../db/advisory-locks';
import type { Db } from '../db/pool';
import { eachInTurn } from '../runtime/loops/each-in-turn';
import { withPlansByIndex } from './plans-by-index.queries';
import { hasSameKey, isFree, isInDueOrder, keyOf } from './delivery-keys';

/**
 * Settles up to `limit` open deliveries of a destination that is disabled or deleted, in a transaction: FAILED if failures disabled it, with
 * the reason of their last attempt; SKIPPED if a person disabled or deleted it. Does nothing while it is enabled. Leaves
 * out deliveries that a worker is sending; these are settled by their response, or closed later if they failed. Counts
 * the SKIPPED ones of each backfill. Returns the number of deliveries closed.
 *
 * @arrow OPEN --> FAILED
 * @arrow OPEN --> SKIPPED
 */
export async function closeDestination(db: Db, destinationId: string, limit: number): Promise<number> {
  const close = { text: CLOSE, values: [destinationId, limit] };
  const { rows } = await withPlansByIndex(db, () => db.query<{ closed: number }>(close));
  return rows[0]?.closed ?? 0;
}

const CLOSE = `
    with chosen as materialized (
       select ${keyOf('q')} from delivery_queue q
        where q.destination_id = $1 and ${isInDueOrder('q')} and ${isFree('q')}
          and not exists (select from destinations t where t.id = $1 and t.enabled)
        order by q.due_at limit $2
     ), locked as materialized (
       select ${keyOf('d')} from chosen
         join deliveries d on ${hasSameKey('d', 'chosen')}
        where d.event_id = any (array(select event_id from chosen)) and d.status = 'OPEN'
        order by ${keyOf('d')} for update of d skip locked
     ), unqueued as (
       delete from delivery_queue q using locked
        where q.event_id = any (array(select event_id from locked)) and ${hasSameKey('q', 'locked')} and ${isFree('q')}
       returning ${keyOf('q')}
     ), closed as (
       update deliveries d
          set status = case when t.disabled_reason is null then 'SKIPPED' else 'FAILED' end,
              last_reason_code = case when t.disabled_reason is not null and d.last_reason_code is not null
                                      then d.last_reason_code
                                      when t.id is null then 'DESTINATION_DELETED' else 'DESTINATION_DISABLED' end,
              settled_at = now(), failed_at = case when t.disabled_reason is not null then now() end
         from unqueued left join destinations t on t.id = $1
        where d.event_id = any (array(select event_id from unqueued)) and ${hasSameKey('d', 'unqueued')}
       returning ${keyOf('d')}, d.status, d.last_reason_code, d.replay_id
     ), noted as (
       insert into delivery_closings (event_id, destination_id, generation, status, reason_code)
       select ${keyOf('closed')}, status, last_reason_code from closed
     ), skipped as materialized (
       select replay_id, count(*)::integer as n from closed
        where status = 'SKIPPED' and replay_id is not null group by replay_id
     ), held as materialized (
       select b.replay_id from skipped join backfills b on b.replay_id = skipped.replay_id
        order by b.replay_id for update of b
     ), counted as (
       update backfills b set closed = b.closed + skipped.n
         from held join skipped on skipped.replay_id = held.replay_id where b.replay_id = held.replay_id
     )
     select count(*)::integer as closed from closed`;

/**
 * Lists destinations that have open deliveries although they are disabled or deleted, at most `limit`. Reads one row of
 * the queue for each destination that is in it.
 */
export async function listClosedBacklogs(db: Db, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `with recursive queued (id) as (
       (select q.destination_id from delivery_queue q where ${isInDueOrder('q')} order by q.destination_id limit 1)
       union all
       select (select q.destination_id from delivery_queue q
                where q.destination_id > queued.id and ${isInDueOrder('q')}
                order by q.destination_id limit 1)
         from queued where queued.id is not null
     )
     select id from queued
      where id is not null and not exists (select from destinations t where t.id = queued.id and t.enabled) limit $1`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

const DESTINATIONS_AT_ONCE = 20;

/**
 * Closes destinations that still have open deliveries, at most `limit` deliveries of each. Each destination has a
 * transaction of its own, which locks the backfills of this destination only: two transactions with several of them could
 * deadlock. Returns the number of deliveries closed; `elsewhere` if another process does it.
 *
 * @throws the first failure, after the others have had their turn
 */
export async function closeBacklogs(pool: Pool, limit: number): Promise<number | 'elsewhere'> {
  const alone = <T>(work: (db: Db) => Promise<T>) =>
    underTransactionLock(pool, ADVISORY_LOCKS.closedDestinations, work);
  const ids = await alone((db) => withPlansByIndex(db, () => listClosedBacklogs(db, DESTINATIONS_AT_ONCE)));
  if (ids === 'elsewhere') return ids;
  let closed = 0;
  await eachInTurn(ids, async (id) => {
    const more = await alone((db) => closeDestination(db, id, limit));
    if (more !== 'elsewhere') closed += more; // otherwise another process goes on
  });
  return closed;
}
