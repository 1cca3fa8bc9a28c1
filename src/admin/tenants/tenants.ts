import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import { tenantsCovered, type ActingOperator } from '../../access/acting-operator';
import { Problem } from '../../event/problems';
import { RESERVED_TENANT } from '../../event/tenant';
import { AccessChanges } from '../endpoint/access-changes';
import { cursorAfterKey, decodeKeyCursor } from '../endpoint/paging';
import { noSuchTenant, refuseOtherTenant } from '../../access/tenant-scope';
import { changeTenant, findTenant, insertTenant, listTenants, type RegisteredTenant } from './tenants.queries';
import type { TenantChangeRequest, TenantRequest, TenantsQuery } from './tenants.requests';
import type { TenantsPage } from './tenants.responses';

/** Registers, changes and lists tenants. A tenant is never deleted, because its events stay. */
@Injectable()
export class Tenants {
  constructor(
    private readonly pool: Pool,
    private readonly changes: AccessChanges,
  ) {}

  async list({ status, cursor, limit }: TenantsQuery, acting: ActingOperator): Promise<TenantsPage> {
    const after = cursor === undefined ? null : (decodeKeyCursor('tenants', cursor, 1)[0] as string);
    const page = { after, status: status ?? null, ids: tenantsCovered(acting), limit };
    const tenants = await listTenants(this.pool, page);
    return { tenants, nextCursor: cursorAfterKey('tenants', tenants, limit) };
  }

  async find(id: string, acting: ActingOperator): Promise<RegisteredTenant> {
    refuseOtherTenant(acting, id);
    return (await findTenant(this.pool, id)) ?? noSuchTenant();
  }

  async create(request: TenantRequest, acting: ActingOperator): Promise<RegisteredTenant> {
    const { id, name, status = 'active', eventsPerMinute = null, bytesPerMinute = null, weight = 1 } = request;
    if (acting.tenantIds !== null) {
      throw new Problem('role-insufficient', 'An operator who is bound to tenants cannot create tenants.');
    }
    checkNotReserved(id);
    const { redact, metadata } = request;
    const limits = { eventsPerMinute, bytesPerMinute, weight };
    const tenant = { id, name, status, ...limits, redact: redact ?? [], metadata: metadata ?? {} };
    const change = { action: 'tenant.create', filter: { ...tenant }, acting, tenantIds: [id] } as const;
    return this.changes.run(change, async (db) => {
      const created = await insertTenant(db, tenant);
      if (!created) throw new Problem('already-exists', 'A tenant with this id exists.');
      return created;
    });
  }

  async change(id: string, request: TenantChangeRequest, acting: ActingOperator): Promise<RegisteredTenant> {
    refuseOtherTenant(acting, id);
    checkNotReserved(id);
    const { metadata, redact, ...rest } = request;
    const change = {
      ...rest,
      ...(metadata === undefined ? {} : { metadata: metadata ?? {} }),
      ...(redact === undefined ? {} : { redact: redact ?? [] }),
    };
    const entry = { action: 'tenant.change', filter: { id, ...change }, acting, tenantIds: [id] } as const;
    return this.changes.run(entry, async (db) => {
      return (await changeTenant(db, id, change)) ?? noSuchTenant();
    });
  }
}

/** @throws Problem `tenant-reserved` */
export function checkNotReserved(tenantId: string): void {
  if (tenantId !== RESERVED_TENANT) return;
  throw new Problem('tenant-reserved', `The tenant ${RESERVED_TENANT} is reserved for StreamForge itself.`);
}
