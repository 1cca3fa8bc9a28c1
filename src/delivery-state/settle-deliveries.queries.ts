import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';

/** A leased delivery that is settled or released. */
export interface HeldDelivery extends DeliveryKey {
  lease: string;
}

/** The end of an attempt. Texts are masked and bounded by the caller. */
export interface EndedAttempt extends HeldDelivery {
  /** OPEN: it is tried again after `waitSeconds`. */
  status: 'DELIVERED' | 'FAILED' | 'OPEN';
  /** The attempt used up a place in the retry schedule. */
  usesTry: boolean;
  exhausted: boolean;
  waitSeconds: number;
  reasonCode: string;
  statusCode: number | null;
  error: string | null;
  durationMs: number;
  responseExcerpt: string | null;
}

/**
 * The CTE `held`: those of `given` whose lease is still held. Rows of deliveries are locked first, in the order of their
 * keys, then their rows of the queue. One clause for both tables would lock the queue first, because deliveries is
 * partitioned.
 */
const HELD = `
  locked as materialized (
    select given.* from given
      join delivery_queue q on q.event_id = given.event_id and q.destination_id = given.destination_id
                           and q.generation = given.generation and q.lease = given.lease
      join deliveries d on d.event_id = given.event_id and d.destination_id = given.destination_id
                       and d.generation = given.generation and d.status = 'OPEN'
     order by d.event_id, d.destination_id, d.generation
       for update of d
  ), held as materialized (
    select locked.* from locked
      join delivery_queue q on q.event_id = locked.event_id and q.destination_id = locked.destination_id
                           and q.generation = locked.generation and q.lease = locked.lease
     order by q.event_id, q.destination_id, q.generation
       for update of q
  )`;

const sameKey = (a: string, b: string): string =>
  `${a}.event_id = ${b}.event_id and ${a}.destination_id = ${b}.destination_id and ${a}.generation = ${b}.generation`;

/**
 * Logs attempts and settles their deliveries, or queues them for the next try. I4, I7: whoever has lost the lease writes
 * nothing. Returns the keys of those that were held, with the number of the attempt.
 *
 * @arrow OPEN --> DELIVERED
 * @arrow OPEN --> FAILED
 * @arrow OPEN --> OPEN
 */
export async function settleAttempts(
  db: Db,
  ended: readonly EndedAttempt[],
  worker: string,
): Promise<(DeliveryKey & { attemptNumber: number })[]> {
  const { rows } = await db.query<DeliveryKey & { attemptNumber: number }>({
    name: 'settle-attempts',
    text: `
      with given as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::uuid[], $5::text[], $6::boolean[], $7::boolean[],
                             $8::double precision[], $9::text[], $10::integer[], $11::text[], $12::integer[], $13::text[])
          as t (event_id, destination_id, generation, lease, status, uses_try, exhausted, wait_seconds, reason_code,
                status_code, error, duration_ms, response_excerpt)
      ), ${HELD}, closed as (
        delete from delivery_queue q using held where ${sameKey('q', 'held')} and held.status <> 'OPEN'
      ), waiting as (
        update delivery_queue q set lease = null, due_at = now() + make_interval(secs => held.wait_seconds)
          from held where ${sameKey('q', 'held')} and held.status = 'OPEN'
      ), changed as (
        update deliveries d
           set status = held.status, attempts = d.attempts + 1, tries = d.tries + held.uses_try::integer,
               exhausted = held.exhausted, last_reason_code = held.reason_code, last_status_code = held.status_code,
               last_error = held.error, settled_at = case when held.status <> 'OPEN' then now() end,
               failed_at = case when held.status = 'FAILED' then now() end
          from held where ${sameKey('d', 'held')}
        returning d.event_id, d.destination_id, d.generation, d.attempts
      ), logged as (
        insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, status_code,
                                       duration_ms, response_excerpt, worker)
        select event_id, destination_id, generation, attempts, reason_code, status_code, duration_ms, response_excerpt, $14
          from changed join held using (event_id, destination_id, generation)
      )
      select event_id as "eventId", destination_id as "destinationId", generation, attempts as "attemptNumber" from changed`,
    values: [
      ...keysOf(ended),
      ended.map(({ status }) => status),
      ended.map(({ usesTry }) => usesTry),
      ended.map(({ exhausted }) => exhausted),
      ended.map(({ waitSeconds }) => waitSeconds),
      ended.map(({ reasonCode }) => reasonCode),
      ended.map(({ statusCode }) => statusCode),
      ended.map(({ error }) => error),
      ended.map(({ durationMs }) => durationMs),
      ended.map(({ responseExcerpt }) => responseExcerpt),
      worker,
    ],
  });
  return rows;
}

/**
 * Gives deliveries back that were not sent. No attempt is logged and no try used up. `waitSeconds`: until they are due.
 *
 * @arrow OPEN --> OPEN
 */
export async function releaseDeliveries(
  db: Db,
  released: readonly (HeldDelivery & { waitSeconds: number })[],
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'release-deliveries',
    text: `
      with given as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::uuid[], $5::double precision[])
          as t (event_id, destination_id, generation, lease, wait_seconds)
      ), ${HELD}
      update delivery_queue q set lease = null, due_at = now() + make_interval(secs => held.wait_seconds)
        from held where ${sameKey('q', 'held')}`,
    values: [...keysOf(released), released.map(({ waitSeconds }) => waitSeconds)],
  });
  return rowCount ?? 0;
}

/** Removes leased rows of the queue whose delivery retention has removed. */
export async function forgetOrphans(db: Db, orphans: readonly HeldDelivery[]): Promise<number> {
  const { rowCount } = await db.query(
    `delete from delivery_queue q
      using unnest($1::uuid[], $2::uuid[], $3::integer[], $4::uuid[]) as t (event_id, destination_id, generation, lease)
      where ${sameKey('q', 't')} and q.lease = t.lease`,
    keysOf(orphans),
  );
  return rowCount ?? 0;
}

const keysOf = (deliveries: readonly HeldDelivery[]): unknown[] => [
  deliveries.map(({ eventId }) => eventId),
  deliveries.map(({ destinationId }) => destinationId),
  deliveries.map(({ generation }) => generation),
  deliveries.map(({ lease }) => lease),
];
