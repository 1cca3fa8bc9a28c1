import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Where the installation is at home, so that a copy of its database is recognised. The first publisher or worker fills it
 * in. The build before does not know it.
 */
export class InstallationHome1764584000000 implements MigrationInterface {
  readonly name = 'InstallationHome1764584000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation add column home text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation drop column home');
  }
}
