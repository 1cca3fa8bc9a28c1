import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Erasures: requests to remove the payloads of a tenant's events.
 * - An event is erased once `erased_at` is set. Its payload is then the JSON value null, because the build before reads
 *   the column as not null.
 * - `tenants.redact` holds JSON Pointers to what operators below the role `operator` do not see of a payload.
 * - `position` is where the next batch of the phase begins. `counts` sums up what the batches have done.
 *
 * The build before leaves the new columns empty, carries out no erasures and redacts nothing.
 */
export class Erasures1764572000000 implements MigrationInterface {
  readonly name = 'Erasures1764572000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table erasures');
    await runner.query('alter table events drop column erased_at');
    await runner.query('alter table tenants drop column redact');
  }
}

const UP = [
  'alter table events add column erased_at timestamptz',
  `alter table tenants add column redact text[] not null default '{}'`,
  // One of subject, event_ids and `before` says which events. event_ids holds ids of ours.
  `create table erasures (
     id uuid primary key,
     tenant_id text not null,
     subject text,
     event_ids uuid[],
     before timestamptz,
     note text,
     phase text not null default 'events' check (phase in ('events', 'rejections', 'samples')),
     position uuid not null default '00000000-0000-0000-0000-000000000000',
     below uuid not null,
     counts jsonb not null default '{}',
     status text not null default 'RUNNING' check (status in ('RUNNING', 'DONE', 'CANCELLED')),
     requested_by text not null,
     correlation_id text not null,
     created_at timestamptz not null default now(),
     finished_at timestamptz,
     check (num_nonnulls(subject, event_ids, before) = 1)
   )`,
  `create index erasures_unfinished on erasures (id) where finished_at is null`,
];
