import type { Db } from '../pool';
import type { Chore, ChoreRecord } from './chores';

/** Records that a run has ended well. `putOff`: some of its work waits for locks of others. */
export async function recordChoreEnd(db: Db, name: Chore, putOff: boolean): Promise<void> {
  await db.query(
    `insert into chores as c (name, succeeded_at, put_off_since) values ($1, now(), case when $2 then now() end)
     on conflict (name) do update
           set succeeded_at = now(), error_code = null,
               put_off_since = case when $2 then coalesce(c.put_off_since, now()) end`,
    [name, putOff],
  );
}

/** Records that there is this chore. If nobody ever succeeds, it becomes overdue. */
export async function recordChore(db: Db, name: Chore): Promise<void> {
  await db.query('insert into chores (name) values ($1) on conflict (name) do nothing', [name]);
}

/** Records that a run has failed. The time of the last success stays. */
export async function recordChoreFailure(db: Db, name: Chore, errorCode: string): Promise<void> {
  await db.query(
    `insert into chores (name, error_code) values ($1, $2)
     on conflict (name) do update set error_code = excluded.error_code`,
    [name, errorCode],
  );
}

/** Returns the records of all chores that have ever run. */
export async function listChoreRecords(db: Db): Promise<ChoreRecord[]> {
  const { rows } = await db.query<ChoreRecord>(
    `select name, extract(epoch from now() - coalesce(succeeded_at, known_since))::float8 as "ageSeconds",
            extract(epoch from now() - put_off_since)::float8 as "putOffSeconds", error_code as "errorCode"
       from chores`,
  );
  return rows;
}
