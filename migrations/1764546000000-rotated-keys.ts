import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A rotation shortens the life of the first key. These columns keep the end that the key had before, so that a second
 * rotation of the same key, such as a repeated request, gives its key that end. The build before does not rotate keys.
 */
export class RotatedKeys1764546000000 implements MigrationInterface {
  readonly name = 'RotatedKeys1764546000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'alter table api_keys add column rotated boolean not null default false, add column own_expires_at timestamptz',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table api_keys drop column rotated, drop column own_expires_at');
  }
}
