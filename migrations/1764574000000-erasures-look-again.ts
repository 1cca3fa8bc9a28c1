import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An erasure walks through its phases twice: `last_look` is set once it walks through the newest rows again. The build
 * before ends an erasure after the first time.
 */
export class ErasuresLookAgain1764574000000 implements MigrationInterface {
  readonly name = 'ErasuresLookAgain1764574000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table erasures add column last_look boolean not null default false');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table erasures drop column last_look');
  }
}
