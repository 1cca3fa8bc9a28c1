import type { MigrationInterface, QueryRunner } from 'typeorm';
import { DELIVERY_STATUS, EVENT_STATUS } from './1764555000000-deliveries';

/**
 * Order per key for destinations (docs/ordering.md).
 * - In the queue, a delivery of an ordered destination has an `order_key`. Of those of one key at most one is not parked,
 *   which a unique index guarantees. A parked one is due at the end of the year 9999, so no claim finds it, nor does one of
 *   the build before.
 * - The build before records deliveries without a key, and parks none. Those that it settles leave the next one parked
 *   until a publisher of this build looks at the key.
 * - No table holds a partition key, only its hash.
 */
export class OrderedDeliveries1764593100000 implements MigrationInterface {
  readonly name = 'OrderedDeliveries1764593100000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(orReplace(DELIVERY_STATUS_WITH_PARKED));
    await runner.query(`create or replace ${EVENT_STATUS_WITH_PARKED}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`create or replace ${EVENT_STATUS}`);
    await runner.query(orReplace(DELIVERY_STATUS));
    await runner.query(`update delivery_queue set due_at = now() where due_at = ${PARKED}`);
    await runner.query('drop index delivery_queue_ordered, delivery_queue_heads, destinations_ordered');
    const columns = ['order_key', 'position', 'not_before', 'occurred_at', 'supersedable'];
    await runner.query(`alter table delivery_queue ${columns.map((name) => `drop column ${name}`).join(', ')}`);
    await runner.query('drop table ordered_events, ordered_keys, changed_keys, ordered_failures, ordered_latest');
    await runner.query('alter table destinations drop column ordering, drop column on_poison, drop column latest_only');
    await runner.query('drop function order_key');
    await runner.query(`delete from chores where name = 'ordered-keys'`);
  }
}

/** As in src/delivery-state/delivery-keys.ts. */
const PARKED = `timestamptz '9999-12-31 00:00:00+00'`;

const UP = [
  `alter table destinations
     add column ordering text not null default 'none' check (ordering in ('none', 'key')),
     add column on_poison text not null default 'block' check (on_poison in ('block', 'skip')),
     add column latest_only boolean not null default false`,
  // The tenants that have any are looked up with each batch of events that is stored.
  `create index destinations_ordered on destinations (tenant_id) where ordering = 'key'`,
  // Two keys of a tenant with one hash would share their order, which does no harm.
  `create function order_key(partition_key text) returns bigint strict immutable parallel safe language sql as $$
     select ('x' || encode(substr(sha256(convert_to(partition_key, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint
   $$`,

  // position: events.outbox_id. not_before: when it is due once it is no longer parked; null: at once. occurred_at is that
  // of the event if the destination is \`latestOnly\`, and supersedable says whether a later one makes it SKIPPED.
  `alter table delivery_queue
     add column order_key bigint,
     add column position bigint,
     add column not_before timestamptz,
     add column occurred_at timestamptz,
     add column supersedable boolean`,
  `create index delivery_queue_ordered on delivery_queue (destination_id, order_key, position, generation)
     where order_key is not null`,
  `create unique index delivery_queue_heads on delivery_queue (destination_id, order_key)
     where order_key is not null and due_at < ${PARKED}`,

  // The accepted events of tenants with an ordered destination, until their handlers are done.
  `create table ordered_events (
     event_id uuid primary key,
     tenant_id text not null,
     type text not null,
     order_key bigint not null,
     position bigint not null
   ) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`,
  `create index ordered_events_by_key on ordered_events (tenant_id, order_key, position)`,
  // A key has a row while deliveries of it are queued. Whoever decides which one is next has locked it.
  `create table ordered_keys (
     tenant_id text not null,
     order_key bigint not null,
     checked_at timestamptz not null default now(),
     primary key (tenant_id, order_key)
   ) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000)`,
  `create index ordered_keys_checked on ordered_keys (checked_at)`,
  // Keys whose deliveries an operator has changed.
  `create table changed_keys (
     id bigint generated always as identity primary key,
     tenant_id text not null,
     order_key bigint not null
   )`,
  // Deliveries that failed under \`onPoison: "block"\`. They block their key for as long as they are FAILED.
  `create table ordered_failures (
     event_id uuid not null,
     destination_id uuid not null,
     generation integer not null,
     tenant_id text not null,
     order_key bigint not null,
     position bigint not null,
     primary key (event_id, destination_id, generation)
   )`,
  `create index ordered_failures_by_key on ordered_failures (destination_id, order_key, position)`,
  // The newest occurredAt that a \`latestOnly\` destination was delivered of a key.
  `create table ordered_latest (
     destination_id uuid not null,
     order_key bigint not null,
     occurred_at timestamptz not null,
     updated_at timestamptz not null default now(),
     primary key (destination_id, order_key)
   )`,
  `create index ordered_latest_updated on ordered_latest (updated_at)`,
];

const orReplace = (view: string): string => view.replace('create view', 'create or replace view');

/** @throws if the definition has changed */
function replaced(text: string, parts: readonly [string, string][]): string {
  return parts.reduce((result, [before, after]) => {
    if (result.split(before).length !== 2) throw new Error(`the view does not have exactly one ${before}`);
    return result.replace(before, after);
  }, text);
}

const DELIVERY_STATUS_WITH_PARKED = replaced(DELIVERY_STATUS, [
  [
    `when q.lease is not null and q.due_at > now() then 'IN_FLIGHT'`,
    `when q.due_at = ${PARKED} then 'PARKED'
              when q.lease is not null and q.due_at > now() then 'IN_FLIGHT'`,
  ],
  [
    'd.attempts > 0 and (q.lease is null or q.due_at <= now()) then',
    `d.attempts > 0 and (q.lease is null or q.due_at <= now()) and q.due_at < ${PARKED} then`,
  ],
]);

/** For the status of its event, a parked delivery is as one of a paused destination. */
export const EVENT_STATUS_WITH_PARKED = replaced(EVENT_STATUS, [
  [
    'to_.paused_at is not null as paused,',
    `to_.paused_at is not null or coalesce(q.due_at = ${PARKED}, false) as paused,`,
  ],
  [
    'case when q.lease is not null and q.due_at > now() then true',
    `case when q.due_at = ${PARKED} then false
                                                when q.lease is not null and q.due_at > now() then true`,
  ],
]);
