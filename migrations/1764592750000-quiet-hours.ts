import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a destination of operator events gets, and when (docs/operator-events.md). The build before sends everything at once,
 * and what this one has held when it is due.
 */
export class QuietHours1764592750000 implements MigrationInterface {
  readonly name = 'QuietHours1764592750000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table destinations add column min_severity text, add column quiet_hours jsonb');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table destinations drop column min_severity, drop column quiet_hours');
  }
}
