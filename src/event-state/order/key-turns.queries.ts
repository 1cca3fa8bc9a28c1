import type { Db } from '../../db/pool';
import { PARKED } from '../../db/parked';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { orderedKeyValues, type OrderedKey } from '../../event/ordered-key';
import { appendEntries, RAISED } from '../dispatch-again.queries';

/** An event that a handler takes in order and that is not settled. */
export interface EventOfKey extends OrderedKey {
  eventId: string;
  /** Its handlers may run. */
  hasTurn: boolean;
}

/** Returns those of the events that a handler takes in order. */
export async function readTurns(db: Db, eventIds: readonly string[]): Promise<EventOfKey[]> {
  const { rows } = await db.query<EventOfKey>({
    name: 'read-turns',
    text: `
      select event_id as "eventId", tenant_id as "tenantId", order_key as "orderKey", has_turn as "hasTurn"
        from ordered_events where event_id = any ($1::uuid[]) and on_poison is not null`,
    values: [eventIds],
  });
  return rows;
}

/** Each of the keys in $1 and $2, as `g`. */
const EACH_KEY = `(select distinct tenant_id, order_key from unnest($1::text[], $2::bigint[]) as t (tenant_id, order_key)) g`;

/**
 * Gives the turn of each key to its first event, unless another one has it. It keeps the turn until it is settled: over all
 * attempts, and as a dead letter that blocks its key. The caller has locked the keys.
 */
export async function assignTurns(db: Db, keys: readonly OrderedKey[]): Promise<void> {
  await db.query({
    name: 'assign-turns',
    text: `
      with first as materialized (
        select o.event_id
          from ${EACH_KEY}
         cross join lateral (
           select w.event_id from ordered_events w
             left join lateral (select status from event_state where event_id = w.event_id offset 0) s on true
            where w.tenant_id = g.tenant_id and w.order_key = g.order_key and w.on_poison is not null
              and (s.status is null or s.status in ('DISPATCHED', 'RETRYING')
                   or s.status = 'DLQ' and w.on_poison = 'block')
            order by w.position limit 1) o
         where not exists (select from ordered_events h
                            where h.tenant_id = g.tenant_id and h.order_key = g.order_key and h.has_turn)
      ), locked as materialized (
        select o.event_id from first join ordered_events o on o.event_id = first.event_id for update of o skip locked
      )
      update ordered_events o set has_turn = true from locked where o.event_id = locked.event_id`,
    values: orderedKeyValues(keys),
  });
}

/** Shown as the last error of an event that is parked. */
const WAITS = 'waits for an earlier event of its key';

/**
 * Parks dispatched events until they have the turn of their key: each gets a retry that is never due, and uses no attempt.
 * Returns the ids of those that are parked; the other dispatches are not current any more. The caller has locked the keys.
 *
 * @arrow [*] --> RETRYING
 * @arrow DISPATCHED --> RETRYING
 */
export async function parkEvents(db: Db, events: readonly DispatchedEvent[]): Promise<Set<string>> {
  if (events.length === 0) return new Set();
  const { rows } = await db.query<{ id: string }>({
    name: 'park-events',
    text: `
      with parked as (
        insert into event_state as s (event_id, status, generation, dispatch_no, attempts, last_error)
        select t.event_id, 'RETRYING', t.generation, t.dispatch_no + 1, 0, '${WAITS}'
          from unnest($1::uuid[], $2::integer[], $3::integer[]) as t (event_id, dispatch_no, generation)
         where not exists (select from processing_attempts a
                            where a.event_id = t.event_id and a.generation = t.generation and a.status = 'SUCCESS')
         order by t.event_id
        on conflict (event_id) do update
              set status = excluded.status, dispatch_no = excluded.dispatch_no, last_error = excluded.last_error,
                  updated_at = now()
            where s.status = 'DISPATCHED' and s.dispatch_no < excluded.dispatch_no and s.generation = excluded.generation
        returning s.event_id, s.dispatch_no, s.generation
      )
      insert into retry_schedule (event_id, dispatch_no, generation, due_at)
      select event_id, dispatch_no, generation, ${PARKED} from parked
      returning event_id as id`,
    values: [
      events.map(({ id }) => id),
      events.map(({ dispatchNo }) => dispatchNo),
      events.map(({ generation }) => generation),
    ],
  });
  return new Set(rows.map(({ id }) => id));
}

/**
 * Dispatches the events that have the turn of these keys and are parked. Returns their number. Leaves out rows that others
 * have locked. The caller has locked the keys.
 *
 * @arrow RETRYING --> DISPATCHED
 */
export async function dispatchParked(db: Db, keys: readonly OrderedKey[]): Promise<number> {
  const { rowCount } = await db.query({
    name: 'dispatch-parked-events',
    text: `
      with locked as materialized (
        select s.event_id, s.dispatch_no
          from ${EACH_KEY}
          join ordered_events o on o.tenant_id = g.tenant_id and o.order_key = g.order_key and o.has_turn
          join event_state s on s.event_id = o.event_id and s.status = 'RETRYING'
           for update of s skip locked
      ), due as (
        delete from retry_schedule
         where event_id = any (array(
                 select r.event_id from locked
                   join retry_schedule r on r.event_id = locked.event_id and r.dispatch_no = locked.dispatch_no
                  where r.due_at = ${PARKED} for update of r skip locked))
        returning event_id
      ), raised as (
        update event_state s
           set status = 'DISPATCHED', outbox_id = nextval('outbox_id_seq'), last_error = null, updated_at = now()
          from due where s.event_id = due.event_id
        returning ${RAISED}
      )${appendEntries('retry')}`,
    values: orderedKeyValues(keys),
  });
  return rowCount ?? 0;
}

/** Gives the turns of these keys to their first events, and dispatches those that are parked. Returns their number. */
export async function handOnTurns(db: Db, keys: readonly OrderedKey[]): Promise<number> {
  if (keys.length === 0) return 0;
  // Sent together; the second sees what the first has done.
  const [, dispatched] = await Promise.all([assignTurns(db, keys), dispatchParked(db, keys)]);
  return dispatched;
}

/**
 * Dead letters give up their turn, unless they block their key. In the transaction that records them. Returns the keys of
 * those that are known.
 */
export async function giveUpTurns(
  db: Db,
  eventIds: readonly string[],
): Promise<(OrderedKey & { byHandler: boolean })[]> {
  const { rows } = await db.query<OrderedKey & { byHandler: boolean }>({
    name: 'give-up-turns',
    text: `
      update ordered_events set has_turn = has_turn and on_poison = 'block'
       where event_id = any (array(
         select event_id from ordered_events where event_id = any ($1::uuid[]) order by event_id for update))
      returning tenant_id as "tenantId", order_key as "orderKey", on_poison is not null as "byHandler"`,
    values: [eventIds],
  });
  return rows;
}
