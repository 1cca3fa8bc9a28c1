import { ADVISORY_LOCKS } from '../db/advisory-locks';
import type { Db } from '../db/pool';

/** How long a circuit stays open the first time. Every failed probe doubles it, up to MOST_OPEN_SECONDS. */
const OPEN_SECONDS = 2;
const MOST_OPEN_SECONDS = 60;

/**
 * What failures mean for the circuit.
 * - same: nothing
 * - opens: there were too many
 * - probe-failed: it stays open, for longer
 * - probe-ended: the probe never reached the destination; the next one may start
 * - closes: the destination responded, although it took no event
 */
export type CircuitEffect = 'same' | 'opens' | 'probe-failed' | 'probe-ended' | 'closes';

/** The newest failure of a destination, after which there was no success. `error` may quote an event. */
export interface DestinationFailure {
  destinationId: string;
  effect: CircuitEffect;
  reasonCode: string;
  statusCode: number | null;
  error: string | null;
}

/** A destination that fails, in seconds from now. */
export interface FailingDestination {
  destinationId: string;
  failingSeconds: number;
  /** Null while the circuit is closed; negative when a probe is due. */
  openSeconds: number | null;
}

/** The row begins with the first failure after a success. Returns where the circuits stand now. */
export async function recordFailures(db: Db, failures: readonly DestinationFailure[]): Promise<FailingDestination[]> {
  if (failures.length === 0) return [];
  const { rows } = await db.query<FailingDestination>({
    name: 'record-destination-failures',
    text: `
      insert into destination_failures as f (destination_id, open_until, open_seconds, last_reason_code, last_status_code,
                                             last_error)
      select destination_id, case when opens then now() + make_interval(secs => ${OPEN_SECONDS}) end,
             case when opens then ${OPEN_SECONDS} end, reason_code, status_code,
             error
        from (select *, effect in ('opens', 'probe-failed') as opens
                from unnest($1::uuid[], $2::text[], $3::text[], $4::integer[], $5::text[])
                       t (destination_id, effect, reason_code, status_code, error)
               order by destination_id) given
      on conflict (destination_id) do update
         set (open_seconds, open_until) = (
               select open_seconds, case when effect = 'probe-ended' then least(f.open_until, now())
                                         when open_seconds is null then null
                                         when effect = 'probe-failed' or f.open_until is null
                                         then now() + make_interval(secs => open_seconds)
                                         else f.open_until end
                 from (select effect, case when effect = 'closes' then null
                                           when effect = 'probe-failed'
                                           then least(coalesce(f.open_seconds * 2, ${OPEN_SECONDS}), ${MOST_OPEN_SECONDS})
                                           when effect = 'opens' then coalesce(f.open_seconds, ${OPEN_SECONDS})
                                           else f.open_seconds end as open_seconds
                         from (select ($2::text[])[array_position($1::uuid[], f.destination_id)] as effect) given) next),
             last_reason_code = excluded.last_reason_code, last_status_code = excluded.last_status_code,
             last_error = excluded.last_error, updated_at = now()
      returning destination_id as "destinationId",
                extract(epoch from now() - failing_since)::float8 as "failingSeconds",
                extract(epoch from open_until - now())::float8 as "openSeconds"`,
    values: [
      failures.map(({ destinationId }) => destinationId),
      failures.map(({ effect }) => effect),
      failures.map(({ reasonCode }) => reasonCode),
      failures.map(({ statusCode }) => statusCode),
      failures.map(({ error }) => error),
    ],
  });
  return rows;
}

/** Records what a batch of attempts says: the successes first, then the failures. Returns where the circuits stand now. */
export async function recordHealth(
  db: Db,
  succeeded: readonly string[],
  failures: readonly DestinationFailure[],
): Promise<FailingDestination[]> {
  const failed = failures.map(({ destinationId }) => destinationId);
  const [, , , failing] = await Promise.all([
    failed.length > 0 ? claimRows(db, failed) : undefined,
    succeeded.length > 0 && failed.length > 0 ? lockFailures(db, [...succeeded, ...failed]) : undefined,
    forgetFailures(db, succeeded),
    recordFailures(db, failures),
  ]);
  return failing;
}

/**
 * Makes other transactions wait that record failures of the same destinations. A row that does not exist yet cannot be
 * locked: a transaction that has inserted it and one that has locked a later row could wait for each other.
 */
async function claimRows(db: Db, destinationIds: readonly string[]): Promise<void> {
  await db.query({
    name: 'claim-destination-failures',
    text: `select pg_advisory_xact_lock(${ADVISORY_LOCKS.failuresOfDestination}, hashtext(id::text))
             from (select distinct hashtext(id::text), id from unnest($1::uuid[]) as id order by 1) t`,
    values: [destinationIds],
  });
}

/** Locks the rows in the order of their ids. Two statements that each lock some of them in order do not suffice. */
export async function lockFailures(db: Db, destinationIds: readonly string[]): Promise<void> {
  await db.query({
    name: 'lock-destination-failures',
    text: `select from destination_failures where destination_id = any ($1::uuid[]) order by destination_id for update`,
    values: [destinationIds],
  });
}

/** Removes failures of deleted destinations, which a request that was still under way has recorded. */
export async function forgetStrayFailures(db: Db, limit: number): Promise<void> {
  await db.query(
    `delete from destination_failures where destination_id = any (array(
       select destination_id from destination_failures f
        where not exists (select from destinations where id = f.destination_id)
        order by destination_id limit $1 for update skip locked))`,
    [limit],
  );
}

/** Ends the failures of destinations and closes their circuits: after a success, or after a change of the destination. */
export async function forgetFailures(db: Db, destinationIds: readonly string[]): Promise<void> {
  if (destinationIds.length === 0) return;
  await db.query({
    name: 'forget-destination-failures',
    text: `delete from destination_failures where destination_id = any (array(
             select destination_id from destination_failures where destination_id = any ($1::uuid[])
              order by destination_id for update))`,
    values: [destinationIds],
  });
}

/**
 * Takes out of the failures of all destinations the time since each was recorded or excused. A process calls it whose
 * proxy is down; where others reach theirs, it excuses more than it has to, and no destination is disabled too early.
 */
export async function excuseFailures(db: Db): Promise<void> {
  await db.query(
    `update destination_failures f set failing_since = f.failing_since + (now() - f.updated_at), updated_at = now()
       from (select destination_id from destination_failures order by destination_id for update skip locked) held
      where f.destination_id = held.destination_id`,
  );
}

/** There are at most as many as destinations. */
export async function readFailing(db: Db): Promise<FailingDestination[]> {
  const { rows } = await db.query<FailingDestination>({
    name: 'read-failing-destinations',
    text: `select destination_id as "destinationId", extract(epoch from now() - failing_since)::float8 as "failingSeconds",
                  extract(epoch from open_until - now())::float8 as "openSeconds"
             from destination_failures`,
  });
  return rows;
}

/** Returns enabled destinations, or this one, whose failures, with no success between them, span at least `hours`. */
export async function readLongFailing(
  db: Db,
  hours: number,
  limit: number,
  id: string | null = null,
): Promise<{ id: string; revision: number }[]> {
  const { rows } = await db.query<{ id: string; revision: number }>(
    `select f.destination_id as id, to_.revision from destination_failures f join destinations to_ on to_.id = f.destination_id
      where f.updated_at - f.failing_since >= make_interval(hours => $1) and to_.enabled and to_.paused_at is null
        and ($3::uuid is null or f.destination_id = $3)
      order by f.destination_id limit $2`,
    [hours, limit, id],
  );
  return rows;
}
