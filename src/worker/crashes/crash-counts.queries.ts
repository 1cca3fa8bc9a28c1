import type { Db } from '../../db/pool';

/** The count must survive a crash of a worker, but not of PostgreSQL, so no commit waits for the disk. */
const QUICKLY = `quick as materialized (select set_config('synchronous_commit', 'off', true))`;

/** Marks redelivered events, so that they run alone the next time. */
export async function markStarts(db: Db, eventIds: readonly string[]): Promise<void> {
  await db.query({
    name: 'mark-starts',
    text: `
      with ${QUICKLY}
      insert into crash_trials as c (event_id, starts)
      select id, 0 from quick, unnest($1::uuid[]) as t (id) order by id
      on conflict (event_id) do update set updated_at = now()`,
    values: [eventIds],
  });
}

/** Returns how many starts of an event have been counted. */
export async function readStarts(db: Db, eventId: string): Promise<number> {
  const { rows } = await db.query<{ starts: number }>('select starts from crash_trials where event_id = $1', [eventId]);
  return rows[0]?.starts ?? 0;
}

/** Counts the start of a redelivered event that runs alone as its `nth`. To do it again changes nothing. */
export async function countStart(db: Db, eventId: string, nth: number): Promise<void> {
  await db.query(
    `with ${QUICKLY}
     insert into crash_trials as c (event_id, starts) select $1::uuid, $2::integer from quick
     on conflict (event_id) do update set starts = greatest(c.starts, excluded.starts), updated_at = now()`,
    [eventId, nth],
  );
}

/** Takes back a start that may have been counted: before it, there were `before`. */
export async function resetStarts(db: Db, eventId: string, before: number): Promise<void> {
  await db.query('update crash_trials set starts = $2 where event_id = $1 and starts > $2', [eventId, before]);
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
