import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What is needed to read a rejection again, and what became of it. The build before writes rejections of sources without
 * `event_type` and `format`, and leaves the other columns at their defaults.
 */
export class Rejections1764570000000 implements MigrationInterface {
  readonly name = 'Rejections1764570000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ADD_COLUMNS);
  }

  async down(runner: QueryRunner): Promise<void> {
    const columns = ['event_type', 'format', 'status', 'settled_at', 'event_id', 'erased_at'];
    await runner.query(`alter table rejections ${columns.map((column) => `drop column ${column}`).join(', ')}`);
  }
}

/** `format` says how `body` is read again (RejectionFormat). `event_id` is the event that the rejection became. */
const ADD_COLUMNS = `
  alter table rejections
    add column event_type text,
    add column format text,
    add column status text not null default 'OPEN',
    add column settled_at timestamptz,
    add column event_id uuid,
    add column erased_at timestamptz`;
