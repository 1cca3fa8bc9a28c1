import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';
import type { SettledInOrder } from './order/settled-in-order.queries';

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

const sameKey = (a: string, b: string): string =>
  `${a}.event_id = ${b}.event_id and ${a}.destination_id = ${b}.destination_id and ${a}.generation = ${b}.generation`;

/**
 * The CTE `locked`: those of `given` whose delivery is open and whose lease seems to be held. It locks their rows of
 * deliveries, in the order of their keys. Whoever changes a row of the queue under these locks compares the lease again.
 * The parameters are the least and the greatest event id: without them, PostgreSQL prepares to read and to change every
 * partition, which takes longer than settling a few deliveries.
 */
const locked = (least: string, greatest: string): string => `
  locked as materialized (
    select given.*, d.created_at from given
      join delivery_queue q on ${sameKey('q', 'given')} and q.lease = given.lease
      join deliveries d on ${sameKey('d', 'given')} and d.status = 'OPEN' and ${isWithin('d', least, greatest)}
     order by d.event_id, d.destination_id, d.generation
       for update of d
  )`;

const isWithin = (table: string, least: string, greatest: string): string =>
  `${table}.event_id between ${least} and ${greatest}`;

/** An attempt that was logged. */
export interface SettledAttempt extends DeliveryKey {
  attemptNumber: number;
  /** Only if its destination is ordered: the caller calls turnKeys. */
  inOrder?: SettledInOrder;
}

/**
 * Logs attempts and settles their deliveries, or queues them for the next try. I4, I7: whoever has lost the lease writes
 * nothing. Returns those that were held, with the number of the attempt.
 *
 * @arrow OPEN --> DELIVERED
 * @arrow OPEN --> FAILED
 * @arrow OPEN --> OPEN
 */
export async function settleAttempts(
  db: Db,
  ended: readonly EndedAttempt[],
  worker: string,
): Promise<SettledAttempt[]> {
  const { rows } = await db.query<SettledRow>({
    name: 'settle-attempts',
    text: `
      with given as materialized (
        select * from unnest($1::uuid[], $2::uuid[], $3::integer[], $4::uuid[], $5::text[], $6::boolean[], $7::boolean[],
                             $8::double precision[], $9::text[], $10::integer[], $11::text[], $12::integer[], $13::text[])
          as t (event_id, destination_id, generation, lease, status, uses_try, exhausted, wait_seconds, reason_code,
                status_code, error, duration_ms, response_excerpt)
      ), ${locked('$15', '$16')}, closed as (
        delete from delivery_queue q using locked
         where ${sameKey('q', 'locked')} and q.lease = locked.lease and locked.status <> 'OPEN'
        returning locked.*, q.order_key, q.position, q.occurred_at
      ), waiting as (
        update delivery_queue q set lease = null, due_at = now() + make_interval(secs => locked.wait_seconds)
          from locked where ${sameKey('q', 'locked')} and q.lease = locked.lease and locked.status = 'OPEN'
        returning locked.*, q.order_key, q.position, q.occurred_at
      ), held as materialized (
        select * from closed union all select * from waiting
      ), changed as (
        update deliveries d
           set status = held.status, attempts = d.attempts + 1, tries = d.tries + held.uses_try::integer,
               exhausted = held.exhausted, last_reason_code = held.reason_code, last_status_code = held.status_code,
               last_error = held.error, settled_at = case when held.status <> 'OPEN' then now() end,
               failed_at = case when held.status = 'FAILED' then now() end
          from held where ${sameKey('d', 'held')} and ${isWithin('d', '$15', '$16')}
        returning held.*, d.attempts, d.tenant_id
      ), logged as (
        insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, status_code,
                                       duration_ms, response_excerpt, worker, failed)
        select event_id, destination_id, generation, attempts, reason_code, status_code, duration_ms, response_excerpt, $14,
               status = 'FAILED'
          from changed
      )
      select event_id as "eventId", destination_id as "destinationId", generation, attempts as "attemptNumber",
             order_key as "orderKey", position, occurred_at::text as "occurredAt", tenant_id as "tenantId", status
        from changed`,
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
      ...bounds(ended),
    ],
  });
  return rows.map(settledAttempt);
}

type SettledRow = Omit<SettledInOrder, 'orderKey'> & { attemptNumber: number; orderKey: string | null };

function settledAttempt({
  attemptNumber,
  orderKey,
  position,
  occurredAt,
  tenantId,
  status,
  ...key
}: SettledRow): SettledAttempt {
  if (orderKey === null) return { ...key, attemptNumber };
  return { ...key, attemptNumber, inOrder: { ...key, tenantId, orderKey, position, occurredAt, status } };
}

/**
 * Gives deliveries back that were not sent. No attempt is logged and no try used up. `waitSeconds`: until they are due. With
 * 0 they are due since they were created, so that they are sent before the deliveries that came after them.
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
      ), ${locked('$6', '$7')}
      update delivery_queue q
         set lease = null,
             due_at = case when locked.wait_seconds > 0 then now() + make_interval(secs => locked.wait_seconds)
                           else least(locked.created_at, now()) end
        from locked where ${sameKey('q', 'locked')} and q.lease = locked.lease`,
    values: [...keysOf(released), released.map(({ waitSeconds }) => waitSeconds), ...bounds(released)],
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

/** The least and the greatest event id. */
function bounds(deliveries: readonly HeldDelivery[]): [string | undefined, string | undefined] {
  const sorted = deliveries.map(({ eventId }) => eventId).sort();
  return [sorted[0], sorted.at(-1)];
}
