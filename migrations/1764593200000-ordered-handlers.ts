import type { MigrationInterface, QueryRunner } from 'typeorm';
import { EVENT_STATUS_WITH_PARKED } from './1764593100000-ordered-deliveries';

/**
 * Order per key for handlers (docs/ordering.md). An event that waits for an earlier one of its key is RETRYING with a retry
 * that is due at the end of the year 9999, so no publisher dispatches it, nor does one of the build before.
 */
export class OrderedHandlers1764593200000 implements MigrationInterface {
  readonly name = 'OrderedHandlers1764593200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(`create or replace ${EVENT_STATUS_WITHOUT_PARKED_TIMES}`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`create or replace ${EVENT_STATUS_WITH_PARKED}`);
    await runner.query(`update retry_schedule set due_at = now() where due_at = ${PARKED}`);
    await runner.query('alter table ordered_events drop column on_poison, drop column has_turn');
    await runner.query('drop table ordered_handlers');
  }
}

/** As in src/db/parked.ts. */
const PARKED = `timestamptz '9999-12-31 00:00:00+00'`;

const UP = [
  // The handlers with \`ordering: 'key'\` of the workers that run, or ran lately.
  `create table ordered_handlers (
     name text primary key,
     event_types text[] not null,
     on_poison text not null check (on_poison in ('block', 'skip')),
     seen_at timestamptz not null default now()
   )`,
  // on_poison: null if no handler takes the event in order. has_turn: its handlers may run. Of one key, at most one has it.
  `alter table ordered_events
     add column on_poison text check (on_poison in ('block', 'skip')),
     add column has_turn boolean not null default false`,
  `create unique index ordered_events_turn on ordered_events (tenant_id, order_key) where has_turn`,
];

const EVENT_STATUS_WITHOUT_PARKED_TIMES = EVENT_STATUS_WITH_PARKED.replace(
  'coalesce(due.due_at, d.next_attempt_at) as next_attempt_at,',
  `coalesce(nullif(due.due_at, ${PARKED}), d.next_attempt_at) as next_attempt_at,`,
);
