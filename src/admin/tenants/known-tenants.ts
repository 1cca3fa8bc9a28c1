import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { RESERVED_TENANT } from '../../event/tenant';
import type { Db } from '../../db/pool';
import { noSuchTenant } from '../../access/tenant-scope';
import { findTenant } from './tenants.queries';

/** Decides whether a key or a destination may be created for a tenant. */
@Injectable()
export class KnownTenants {
  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'TENANT_AUTH'>) {}

  /**
   * With TENANT_AUTH=key the tenant must be registered, apart from that of operator events. Otherwise any id will do, because a tenant that only names
   * itself is not registered either.
   * @throws Problem `tenant-not-found`
   */
  async check(db: Db, tenantId: string): Promise<void> {
    if (this.settings.TENANT_AUTH !== 'key' || tenantId === RESERVED_TENANT) return;
    if (!(await findTenant(db, tenantId))) noSuchTenant();
  }
}
