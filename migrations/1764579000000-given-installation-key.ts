import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The last INSTALLATION_KEY that a process has started with, sealed, so that processes without that setting trust what it
 * signs. The build before does not know the column.
 */
export class GivenInstallationKey1764579000000 implements MigrationInterface {
  readonly name = 'GivenInstallationKey1764579000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation add column given_installation_key bytea');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation drop column given_installation_key');
  }
}
