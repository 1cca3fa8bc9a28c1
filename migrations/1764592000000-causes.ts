import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Stores the cause of each failed delivery, which is the id of its group of dead letters: computing it takes four regular
 * expressions. A trigger does so, for the build before as well. The next migration fills in what failed before.
 */
export class Causes1764592000000 implements MigrationInterface {
  readonly name = 'Causes1764592000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index dead_letters_by_cause');
    for (const name of ['cause_of_new', 'cause']) await runner.query(`drop trigger ${name} on deliveries`);
    await runner.query('drop function note_cause');
    await runner.query('alter table deliveries drop column cause');
    await runner.query('drop function cause_group');
  }
}

const UP = [
  // The same ids as before, which addresses of the console and filters of scripts have. `destination` is null for handlers.
  `create function cause_group(reason text, destination uuid, message_group text) returns text
   immutable parallel safe language sql as $$
     select md5(coalesce(reason, '') || ' ' || coalesce(destination::text, '') || ' ' || coalesce(message_group, ''))
   $$`,
  `create index dead_letters_by_cause on dead_letters (cause_group(reason_code, null::uuid, message_group), event_id)
     where resolved_at is null`,

  // Set while failed_at is set.
  `alter table deliveries add column cause text`,
  `create function note_cause() returns trigger language plpgsql as $$
   begin
     new.cause := case when new.failed_at is not null
                       then cause_group(new.last_reason_code, new.destination_id, failure_group(new.last_error)) end;
     return new;
   end $$`,
  `create trigger cause_of_new before insert on deliveries for each row
     when (new.failed_at is not null) execute function note_cause()`,
  `create trigger cause before update on deliveries for each row
     when (old.failed_at is not null or new.failed_at is not null) execute function note_cause()`,
];
