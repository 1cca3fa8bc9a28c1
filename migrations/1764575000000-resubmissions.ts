import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `rejections.duplicate` says whether the event of a resubmitted rejection was made from another record. It is null where
 * the build before has resubmitted it. `admin_audit.running_until` is set while an action goes on after it was recorded:
 * after that time its process has certainly ended. The build before leaves both null.
 */
export class Resubmissions1764575000000 implements MigrationInterface {
  readonly name = 'Resubmissions1764575000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table rejections add column duplicate boolean');
    await runner.query('alter table admin_audit add column running_until timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table admin_audit drop column running_until');
    await runner.query('alter table rejections drop column duplicate');
  }
}
