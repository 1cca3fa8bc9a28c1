import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was read last of a raised condition, for those who list them. The build before leaves it empty. */
export class ConditionFigures1764592900000 implements MigrationInterface {
  readonly name = 'ConditionFigures1764592900000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table operator_conditions add column figures jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table operator_conditions drop column figures');
  }
}
