import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Claims are fair among tenants (src/outbox/claim.queries.ts):
 * - `outbox.tenant_id` is the tenant of the entry. It is '' in entries of the build before, which share one lane.
 * - The index of open entries is by tenant and id instead of by id. A claim of the build before still uses it, but sorts
 *   what is open: with a long backlog its claims are slow until the last of its publishers has stopped.
 * - `tenants.weight` is the share of a tenant beside others.
 *
 * To go back, stop the publishers of this build first: `down` makes the old index again.
 */
export class FairClaims1764593000000 implements MigrationInterface {
  readonly name = 'FairClaims1764593000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of UP) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tenants drop column weight');
    await runner.query('create index outbox_open on outbox (id) where closed_at is null');
    await runner.query('drop index outbox_open_by_tenant');
    await runner.query('alter table outbox drop column tenant_id');
  }
}

const UP = [
  `alter table outbox add column tenant_id text not null default ''`,
  `create index outbox_open_by_tenant on outbox (tenant_id, id) where closed_at is null`,
  `drop index outbox_open`,
  `alter table tenants add column weight integer not null default 1 check (weight between 1 and 100)`,
];
