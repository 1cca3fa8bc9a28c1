import type { Db } from '../db/pool';
import { HISTORY_DAYS } from './usual-gaps';

/** A pause of looks that is longer leaves a time of which nothing is known. */
const MOST_PAUSE_SECONDS = 300;
const FORGOTTEN_AT_ONCE = 1_000;
/** The subject that stands for the installation. */
const LOOKED = '';

/** What is remembered of a source or type. Times are in ms since 1970. */
export interface Heard {
  subject: string;
  /** Since when it is watched. */
  sinceMs: number;
  heardMs: number | null;
  judgedForMs: number | null;
  silentFromMs: number | null;
  usualSeconds: number | null;
}

const COLUMNS = `subject, (extract(epoch from since) * 1000)::float8 as "sinceMs",
  (extract(epoch from heard_at) * 1000)::float8 as "heardMs",
  (extract(epoch from judged_for) * 1000)::float8 as "judgedForMs",
  (extract(epoch from silent_from) * 1000)::float8 as "silentFromMs", usual_seconds as "usualSeconds"`;

/** Notes that somebody looks. Returns since when that has been so without a pause, in ms since 1970. */
export async function noteLook(db: Db): Promise<number> {
  const { rows } = await db.query<{ sinceMs: number }>(
    `insert into silence_heard as h (subject, heard_at) values ($1, now())
     on conflict (subject) do update
           set since = case when h.heard_at < now() - make_interval(secs => $2) then now() else h.since end,
               heard_at = now()
     returning (extract(epoch from since) * 1000)::float8 as "sinceMs"`,
    [LOOKED, MOST_PAUSE_SECONDS],
  );
  await noteMinutes(db, [{ subject: LOOKED, heardMs: null }]);
  return rows[0]?.sinceMs ?? 0;
}

/** Reads what is remembered of subjects. */
export async function readHeard(db: Db, subjects: readonly string[]): Promise<Heard[]> {
  const { rows } = await db.query<Heard>(`select ${COLUMNS} from silence_heard where subject = any ($1)`, [subjects]);
  return rows;
}

/** Remembers when something last came. A subject that is new is watched from now on. */
export async function noteHeard(db: Db, heard: readonly { subject: string; heardMs: number | null }[]): Promise<void> {
  if (heard.length === 0) return;
  await db.query(
    `insert into silence_heard as h (subject, heard_at)
     select subject, to_timestamp("heardMs" / 1000) from json_to_recordset($1::json) as t (subject text, "heardMs" float8)
      order by subject
     on conflict (subject) do update set heard_at = greatest(h.heard_at, excluded.heard_at)`,
    [JSON.stringify(heard)],
  );
}

/** Sets the bits of minutes in which something came; null: of the present one. */
export async function noteMinutes(
  db: Db,
  heard: readonly { subject: string; heardMs: number | null }[],
): Promise<void> {
  if (heard.length === 0) return;
  await db.query(
    `insert into silence_minutes as m (subject, day, minutes)
     select subject, (at at time zone 'UTC')::date,
            bit_or(set_bit(repeat('0', 1440)::bit(1440), floor(extract(epoch from (at at time zone 'UTC')::time) / 60)::integer, 1))
       from (select subject, coalesce(to_timestamp("heardMs" / 1000), now()) as at
               from json_to_recordset($1::json) as t (subject text, "heardMs" float8)) heard
      group by 1, 2 order by 1, 2
     on conflict (subject, day) do update set minutes = m.minutes | excluded.minutes`,
    [JSON.stringify(heard)],
  );
}

/** Reads the minutes since 1970 in which something came of a subject, in order. */
export async function readMinutes(db: Db, subject: string): Promise<number[]> {
  const { rows } = await db.query<{ day: number; minutes: string }>(
    `select (day - date '1970-01-01')::integer as day, minutes::text as minutes from silence_minutes
      where subject = $1 and day >= (now() at time zone 'UTC')::date - $2::integer order by day`,
    [subject, HISTORY_DAYS],
  );
  return rows.flatMap(({ day, minutes }) => {
    const found: number[] = [];
    for (let at = minutes.indexOf('1'); at >= 0; at = minutes.indexOf('1', at + 1)) found.push(day * 1_440 + at);
    return found;
  });
}

/** Reads the minutes in which somebody looked. */
export const readLooks = (db: Db): Promise<number[]> => readMinutes(db, LOOKED);

export type Judged = Pick<Heard, 'subject' | 'judgedForMs' | 'silentFromMs' | 'usualSeconds'>;

export async function noteJudged(db: Db, judged: readonly Judged[]): Promise<void> {
  if (judged.length === 0) return;
  await db.query(
    `update silence_heard h
        set judged_for = to_timestamp(t."judgedForMs" / 1000), silent_from = to_timestamp(t."silentFromMs" / 1000),
            usual_seconds = t."usualSeconds"
       from json_to_recordset($1::json)
              as t (subject text, "judgedForMs" float8, "silentFromMs" float8, "usualSeconds" integer)
      where h.subject = t.subject`,
    [JSON.stringify(judged)],
  );
}

/** Forgets what is older than what is looked at, and what nobody expects anything of any more. */
export async function forgetHeard(db: Db): Promise<void> {
  await db.query(
    `delete from silence_heard where subject in (
       select subject from silence_heard h
        where subject <> $1
          and not exists (select from sources s where s.id::text = h.subject and s.learn_silence)
          and not exists (select from silence_expectations x where x.tenant_id || '/' || x.event_type = h.subject)
        limit $2)`,
    [LOOKED, FORGOTTEN_AT_ONCE],
  );
  await db.query(
    `delete from silence_minutes where ctid = any (array(
       select ctid from silence_minutes m
        where day < (now() at time zone 'UTC')::date - $1::integer
           or not exists (select from silence_heard h where h.subject = m.subject)
        limit $2))`,
    [HISTORY_DAYS + 1, FORGOTTEN_AT_ONCE],
  );
}
