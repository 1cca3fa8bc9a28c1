import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The sealed key that signs messages and cached facts while INSTALLATION_KEY is not set. The build before does not know it. */
export class InstallationKey1764577000000 implements MigrationInterface {
  readonly name = 'InstallationKey1764577000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation add column installation_key bytea');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation drop column installation_key');
  }
}
