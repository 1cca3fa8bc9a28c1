import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Since when a destination is disabled. A trigger sets it, so that a build that does not know the column sets it, too.
 * Destinations that are disabled already keep null, because nobody recorded the time.
 */
export class DisabledAt1764500200000 implements MigrationInterface {
  readonly name = 'DisabledAt1764500200000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop trigger set_disabled_at on destinations');
    await runner.query('drop function set_destination_disabled_at');
    await runner.query('alter table destinations drop column disabled_at');
  }
}

const UP = [
  'alter table destinations add column disabled_at timestamptz',
  `create function set_destination_disabled_at() returns trigger language plpgsql as $$
   begin
     if new.enabled then
       new.disabled_at := null;
     elsif tg_op = 'INSERT' or old.enabled then
       new.disabled_at := now();
     end if;
     return new;
   end $$`,
  `create trigger set_disabled_at before insert or update on destinations
     for each row execute function set_destination_disabled_at()`,
];
