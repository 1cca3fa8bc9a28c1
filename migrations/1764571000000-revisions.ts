import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ensurePartitions, WEEKLY } from './1764550000000-sources';

/**
 * Revisions: other payloads of a stored event, number 2 and up. The event as it was sent is revision 1 and has no row.
 * - The columns `revision` are null for revision 1, so an event without revisions costs nothing.
 * - `outbox.generation` is negative in the entry of a revision. The build before copies it into the message, and no build
 *   accepts such a message without its revision. The reconciler then dispatches the event again.
 * - `delivery_workers.knows_revisions` is null for a worker of the build before. While one lives, no revision is made,
 *   because it would deliver the event as it was sent.
 */
export class Revisions1764571000000 implements MigrationInterface {
  readonly name = 'Revisions1764571000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
    await runner.query(ensurePartitions([...BEFORE, 'event_revisions']));
    await runner.query('select ensure_partitions()');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(ensurePartitions(BEFORE));
    await runner.query('update outbox set generation = -generation where generation < 0');
    for (const table of REVISED) await runner.query(`alter table ${table} drop column revision`);
    await runner.query('alter table delivery_workers drop column knows_revisions');
    await runner.query('drop table event_revisions');
  }
}

const BEFORE = [...WEEKLY, 'deliveries', 'delivery_attempts'];
const REVISED = ['event_state', 'outbox', 'deliveries', 'delivery_queue'];

const UP = [
  // Insert-only. hash is that of the event with this payload. actor names the operator.
  `create table event_revisions (
     event_id uuid not null,
     revision integer not null check (revision >= 2),
     payload json not null,
     hash bytea not null,
     size_bytes integer not null,
     note text,
     actor text not null,
     created_at timestamptz not null default now(),
     erased_at timestamptz,
     primary key (event_id, revision)
   ) partition by range (event_id)`,
  `create table event_revisions_default partition of event_revisions default`,
  ...REVISED.map((table) => `alter table ${table} add column revision integer`),
  `alter table delivery_workers add column knows_revisions boolean`,
];
