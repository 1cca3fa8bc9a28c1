import type { Pool } from 'pg';
import { ADVISORY_LOCKS } from '../db/advisory-locks';
import { inTransaction, type Db } from '../db/pool';

/** A worker that has not been seen for this long is dead. */
export const DEAD_AFTER_SECONDS = 10;

/** Registers this process and returns the ids of all live ones, in order. Two that join at once see each other. */
export function joinWorkers(pool: Pool, id: string): Promise<string[]> {
  return inTransaction(pool, async (db) => {
    await db.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.deliveryWorkers]);
    return (await beat(db, id)).ids;
  });
}

/** Says that this process is alive. `isNew`: the others had taken it for dead. */
export async function beat(db: Db, id: string): Promise<{ ids: string[]; isNew: boolean }> {
  const { rows } = await db.query<{ id: string; isNew: boolean | null }>({
    name: 'delivery-worker-beat',
    text: `
      with own as (
        insert into delivery_workers (id, knows_revisions) values ($1, true) on conflict (id) do update set seen_at = now()
        returning id, xmax = 0 as is_new
      ), dead as (
        delete from delivery_workers where id = any (array(
          select id from delivery_workers where seen_at < now() - make_interval(secs => $2) and id <> $1
           order by id for update skip locked))
      )
      select id, is_new as "isNew" from own
      union all
      select id, null from delivery_workers where id <> $1 and seen_at >= now() - make_interval(secs => $2)`,
    values: [id, DEAD_AFTER_SECONDS],
  });
  return { ids: rows.map((row) => row.id).sort(), isNew: rows.some(({ isNew }) => isNew === true) };
}

export async function leaveWorkers(db: Db, id: string): Promise<void> {
  await db.query('delete from delivery_workers where id = $1', [id]);
}
