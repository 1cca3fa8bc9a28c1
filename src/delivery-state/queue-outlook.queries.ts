import type { Pool } from 'pg';
import { queryWithSettings, type Db } from '../db/pool';
import { isInDueOrder, isParked } from './delivery-keys';

/** A destination with open deliveries, and when the first of them is due; negative if it is overdue. */
export interface DueDestination {
  destinationId: string;
  dueInSeconds: number;
}

/**
 * Reads one index entry for each destination with open deliveries, however many of these there are. Leaves out those
 * whose circuit stays open for longer than OUTLOOK_SECONDS.
 */
export async function readDueDestinations(pool: Pool): Promise<DueDestination[]> {
  const { rows } = await queryWithSettings<DueDestination>(pool, DUE_DESTINATIONS_SETTINGS, {
    name: 'read-due-destinations',
    text: DUE_DESTINATIONS,
  });
  return rows;
}

/** Longer than the pause between two sweeps (src/deliveries/delivery-sweep.ts). */
const OUTLOOK_SECONDS = 10;

/** Without statistics the planner may sort the whole queue. */
export const DUE_DESTINATIONS_SETTINGS = `set local enable_seqscan = off; set local enable_sort = off;
  set local enable_bitmapscan = off`;

/** Exported for the test of its plan. */
export const DUE_DESTINATIONS = `
  with recursive due as (
    (select destination_id, due_at from delivery_queue q where ${isInDueOrder('q')}
      order by destination_id, due_at limit 1)
    union all
    select next.destination_id, next.due_at
      from due cross join lateral (
        select destination_id, due_at from delivery_queue q
         where destination_id > due.destination_id and ${isInDueOrder('q')}
         order by destination_id, due_at limit 1) next
  )
  select destination_id as "destinationId", extract(epoch from due_at - now())::float8 as "dueInSeconds" from due
   where not exists (select from destination_failures failing
                      where failing.destination_id = due.destination_id
                        and failing.open_until > now() + make_interval(secs => ${OUTLOOK_SECONDS}))`;

const QUEUE_CAP = 100_000;

/**
 * What open deliveries wait for.
 * - due: a free place of their destination
 * - in-flight: an answer to their request
 * - waiting: the time of their next try
 * - parked: others of their key
 * - circuit-open: a destination that keeps failing
 * - paused: a paused destination
 * - closing: being closed, because their destination was disabled or deleted
 */
export const BACKLOG_STATES = ['due', 'in-flight', 'waiting', 'parked', 'circuit-open', 'paused', 'closing'] as const;
export type BacklogState = (typeof BACKLOG_STATES)[number];

/** Counts the open deliveries by what they wait for, up to QUEUE_CAP of them. */
export async function countOpenDeliveries(db: Db): Promise<ReadonlyMap<BacklogState, number>> {
  const { rows } = await db.query<{ state: BacklogState; open: number }>({
    name: 'count-open-deliveries',
    text: `
      with queued as materialized (
        select destination_id, due_at <= now() as due, lease is not null and due_at > now() as leased,
               ${isParked('q')} as parked, count(*) as open
          from (select destination_id, due_at, lease from delivery_queue limit $1) q
         group by 1, 2, 3, 4
      )
      select case when to_.enabled is not true then 'closing'
                  when leased then 'in-flight'
                  when to_.paused_at is not null then 'paused'
                  when parked then 'parked'
                  when failing.open_until is not null then 'circuit-open'
                  when due then 'due'
                  else 'waiting' end as state, sum(open)::integer as open
        from queued
        left join destinations to_ on to_.id = queued.destination_id
        left join destination_failures failing on failing.destination_id = queued.destination_id
       group by 1`,
    values: [QUEUE_CAP],
  });
  return new Map(rows.map(({ state, open }) => [state, open]));
}
