import type { Db } from '../db/pool';

/**
 * Moves up to `limit` due retries into the outbox. Returns how many. `any (array(...))` for the reason of
 * claimDueEntries: both tables grow by thousands within seconds.
 */
export async function dispatchDueRetries(db: Db, limit: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'dispatch-due-retries',
    text: `
      with due as (
        delete from retry_schedule
         where event_id = any (array(select event_id from retry_schedule where due_at <= now() order by due_at limit $1
                                        for update skip locked))
        returning event_id, dispatch_no, generation
      ), moved as (
        update event_state s set status = 'DISPATCHED', outbox_id = nextval('outbox_id_seq'), updated_at = now()
          from due
         where s.event_id = any (array(select event_id from due))
           and s.event_id = due.event_id and s.dispatch_no = due.dispatch_no and s.status = 'RETRYING'
        returning s.event_id, s.dispatch_no, s.generation, s.outbox_id
      )
      insert into outbox (id, event_id, dispatch_no, generation, destination)
      select outbox_id, event_id, dispatch_no, generation, 'retry' from moved`,
    values: [limit],
  });
  return rowCount ?? 0;
}

/** Makes the partitions of the coming weeks and days that are missing. Returns how many. */
export async function ensurePartitions(db: Db): Promise<number> {
  const { rows } = await db.query<{ made: number }>('select ensure_partitions() as made');
  return rows[0]?.made ?? 0;
}
