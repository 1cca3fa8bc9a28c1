import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Backfills: a replay that makes deliveries of stored events to one destination. Its row in `replays` is for lists and for
 * the audit trail. Whether it runs is in `backfills`, because the build before would finish it in `replays` at once.
 */
export class Backfills1764557000000 implements MigrationInterface {
  readonly name = 'Backfills1764557000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index delivery_queue_of_replay, deliveries_of_replay');
    await runner.query('alter table delivery_queue drop column replay_id');
    await runner.query('drop table backfills');
    await runner.query(`delete from replays where mode = 'backfill'`);
    await runner.query(`alter table replays drop constraint replays_mode_check,
      add constraint replays_mode_check check (mode in ('reprocess', 'republish'))`);
  }
}

const UP = [
  `alter table replays drop constraint replays_mode_check,
     add constraint replays_mode_check check (mode in ('reprocess', 'republish', 'backfill'))`,
  // Events with ids up to `position` have been looked at. remaining is null if there is no limit. skipped counts events
  // by the reason for which they got no delivery, and closed the deliveries that became SKIPPED with their destination.
  `create table backfills (
     replay_id uuid primary key,
     destination_id uuid not null,
     type text,
     position uuid not null,
     below uuid not null,
     remaining integer,
     rate_per_second integer,
     next_due_at timestamptz not null default now(),
     filled integer not null default 0,
     skipped jsonb not null default '{}',
     closed integer not null default 0,
     status text not null default 'RUNNING' check (status in ('RUNNING', 'DONE', 'CANCELLED')),
     finished_at timestamptz
   )`,
  `create index backfills_unfinished on backfills (replay_id) where finished_at is null`,
  `create index deliveries_of_replay on deliveries (replay_id) where replay_id is not null and failed_at is not null`,
  // Set for the deliveries of backfills and of replays to one destination.
  `alter table delivery_queue add column replay_id uuid`,
  `create index delivery_queue_of_replay on delivery_queue (replay_id) where replay_id is not null`,
];
