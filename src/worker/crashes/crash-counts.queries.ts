import type { Db } from '../../db/pool';

/**
 * Counts a start of redelivered events. Returns how often each has run alone, including this time. Without `alone` an
 * event is only marked, so that it runs alone the next time. The count must survive a crash of this process, but not of
 * PostgreSQL, so the commit does not wait for the disk.
 */
export async function countStarts(db: Db, eventIds: readonly string[], alone: boolean): Promise<Map<string, number>> {
  const { rows } = await db.query<{ eventId: string; starts: number }>({
    name: 'count-starts',
    text: `
      with quick as materialized (select set_config('synchronous_commit', 'off', true))
      insert into crash_trials as c (event_id, starts)
      select id, $2::integer from quick, unnest($1::uuid[]) as t (id) order by id
      on conflict (event_id) do update set starts = c.starts + excluded.starts, updated_at = now()
      returning event_id as "eventId", starts`,
    values: [eventIds, alone ? 1 : 0],
  });
  return new Map(rows.map(({ eventId, starts }) => [eventId, starts]));
}

/** Uncounts one start: the event is given back, and not by a crash. */
export async function uncountStart(db: Db, eventId: string): Promise<void> {
  await db.query('update crash_trials set starts = starts - 1 where event_id = $1 and starts > 0', [eventId]);
}

/** Runs in the transaction that settles the events. */
export async function clearStarts(db: Db, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db.query({
    name: 'clear-starts',
    text: `delete from crash_trials
            where event_id = any (array(select event_id from crash_trials where event_id = any ($1::uuid[])
                                         order by event_id for update))`,
    values: [eventIds],
  });
}
