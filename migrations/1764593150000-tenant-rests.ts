import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Until when the events of a tenant wait whose handlers fail (src/event-state/tenant-rests.queries.ts). Workers note it, and claims
 * of the outbox heed it. There is a row for each tenant in trouble, and none of them is missed if it is lost.
 *
 * The build before neither writes nor reads it. To go back permanently, run `down`.
 */
export class TenantRests1764593150000 implements MigrationInterface {
  readonly name = 'TenantRests1764593150000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table tenant_rests (tenant_id text primary key, rests_until timestamptz not null)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table tenant_rests');
  }
}
