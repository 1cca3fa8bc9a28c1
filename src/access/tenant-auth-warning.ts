import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { riskOfTenantAuth } from '../config/tenant-auth';

/** Warns once at the start if tenants need not prove who they are. */
@Injectable()
export class TenantAuthWarning implements OnApplicationBootstrap {
  private readonly logger = new Logger('Access');

  constructor(@Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'NODE_ENV' | 'TENANT_AUTH'>) {}

  onApplicationBootstrap(): void {
    const risk = riskOfTenantAuth(this.settings);
    if (risk) this.logger.warn({ msg: 'access.tenants-not-proven', risk });
  }
}
