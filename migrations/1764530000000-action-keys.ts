import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The idempotency keys of admin actions, with the audit entry that records the action. A key is forgotten after a while,
 * the entry is not. The build before leaves both columns empty.
 */
export class ActionKeys1764530000000 implements MigrationInterface {
  readonly name = 'ActionKeys1764530000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table admin_audit add column key_digest bytea, add column fingerprint bytea');
    await runner.query(
      'create unique index admin_audit_by_key on admin_audit (key_digest) where key_digest is not null',
    );
    await runner.query('create index admin_audit_with_key on admin_audit (id) where key_digest is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table admin_audit drop column key_digest, drop column fingerprint');
  }
}
