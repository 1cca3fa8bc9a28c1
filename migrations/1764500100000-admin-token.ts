import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The admin token that StreamForge generates while ADMIN_TOKEN is not set. All processes of the installation share it. */
export class AdminToken1764500100000 implements MigrationInterface {
  readonly name = 'AdminToken1764500100000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation add column admin_token text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation drop column admin_token');
  }
}
