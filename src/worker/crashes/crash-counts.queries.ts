import type { Db } from '../../db/pool';

/**
 * Notes that a redelivered event is about to run, and returns how often it was begun alone, this time included. `alone`
 * says that a crash from here on would be this event's; otherwise it only marks the event as one to run alone the next
 * time. It must survive a crash of this process but not of PostgreSQL, so nobody waits for the disk.
 */
export async function countStarts(db: Db, eventIds: readonly string[], alone: boolean): Promise<Map<string, number>> {
  const { rows } = await db.query<{ eventId: string; starts: number }>({
    name: 'begin-trials',
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

/** The event was given back although it had not crashed anything: a shutdown. */
export async function uncountStart(db: Db, eventId: string): Promise<void> {
  await db.query('update crash_trials set starts = starts - 1 where event_id = $1 and starts > 0', [eventId]);
}

/** In the transaction that settles the events. */
export async function clearStarts(db: Db, eventIds: readonly string[]): Promise<void> {
  await db.query({
    name: 'end-trials',
    text: 'delete from crash_trials where event_id = any ($1::uuid[])',
    values: [eventIds],
  });
}
