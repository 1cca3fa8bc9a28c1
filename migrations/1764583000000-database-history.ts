import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * One row, whose place in the database tells one history of it from another (src/db/history.queries.ts). Nothing updates
 * it. The build before does not know it.
 */
export class DatabaseHistory1764583000000 implements MigrationInterface {
  readonly name = 'DatabaseHistory1764583000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table database_history (token uuid not null default gen_random_uuid())');
    await runner.query('create unique index database_history_is_one on database_history ((true))');
    await runner.query('insert into database_history default values');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table database_history');
  }
}
