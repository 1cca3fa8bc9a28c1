import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Marks the keys of earlier builds, which did not tell events apart by their ids (src/event/identity/legacy-keys.ts).
 * - The default of the new column applies to the existing rows without rewriting the table, and to rows that an earlier
 *   build still inserts. This build inserts null, which takes no space.
 * - `legacy_keys_since` stays null in a new database, where nobody needs to look for such keys.
 */
export class EventIdentity1764510000000 implements MigrationInterface {
  readonly name = 'EventIdentity1764510000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table installation add column legacy_keys_since timestamptz');
    await runner.query(
      'update installation set legacy_keys_since = now() where exists (select from idempotency_keys limit 1)',
    );
    await runner.query('alter table idempotency_keys add column legacy boolean default true');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table idempotency_keys drop column legacy');
    await runner.query('alter table installation drop column legacy_keys_since');
  }
}
