import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What a destination filters, how it transforms and formats an event, and how it is called. The build before leaves the
 * columns as they are and sends every event of the type as it is.
 */
export class DestinationOptions1764560000000 implements MigrationInterface {
  readonly name = 'DestinationOptions1764560000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(ADD_COLUMNS);
    await runner.query('create unique index destinations_by_uid on destinations (tenant_id, uid)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index destinations_by_uid');
    const columns = ['uid', 'filter', 'transform', 'format', 'headers', 'auth', 'retry_schedule'];
    const drops = [...columns, 'rate_per_second'].map((column) => `drop column ${column}`);
    await runner.query(`alter table destinations ${drops.join(', ')}`);
  }
}

/** Headers and credentials are sealed JSON (src/destinations/secrets/sealed-options.ts). */
const ADD_COLUMNS = `
  alter table destinations
    add column uid text,
    add column filter jsonb,
    add column transform text,
    add column format text not null default 'event',
    add column headers bytea,
    add column auth bytea,
    add column retry_schedule double precision[],
    add column rate_per_second integer`;
