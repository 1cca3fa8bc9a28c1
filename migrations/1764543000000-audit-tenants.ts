import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds the audit entries of an operator who is bound to tenants by the first tenant of each, and bounds how many tenants
 * that may be. The build before leaves `tenant_ids` empty, and binds no operator.
 */
export class AuditTenants1764543000000 implements MigrationInterface {
  readonly name = 'AuditTenants1764543000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'create index admin_audit_by_tenant on admin_audit ((tenant_ids[1]), id) where tenant_ids is not null',
    );
    await runner.query(
      'alter table operators add constraint operators_of_at_most_1000_tenants check (cardinality(tenant_ids) <= 1000)',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table operators drop constraint operators_of_at_most_1000_tenants');
    await runner.query('drop index admin_audit_by_tenant');
  }
}
