import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a CloudEvent has besides the columns of an event. Null for all others; json keeps the text as it was sent. */
export class Extensions1764520000000 implements MigrationInterface {
  readonly name = 'Extensions1764520000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table events add column extensions json');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table events drop column extensions');
  }
}
