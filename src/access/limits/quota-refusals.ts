import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Loop } from '../../runtime/loop';
import { recordQuotaRefusal } from './quota-refusals.queries';
import { TenantLimiter } from './tenant-limiter';

const EVERY_MS = 5_000;
/** Further ones are recorded when they are refused again. */
const MOST_AT_ONCE = 100;

/** Records which tenants have reached a limit, a row for each every few seconds, for the operator events. */
@Injectable()
export class QuotaRefusals implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new Loop('Quota refusals', () => this.runOnce());

  constructor(
    private readonly pool: Pool,
    private readonly limiter: TenantLimiter,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'OPERATOR_QUOTA_PAUSE_SECONDS'>,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async runOnce(): Promise<number> {
    for (const { tenantId, measure } of this.limiter.takeReached().slice(0, MOST_AT_ONCE)) {
      await recordQuotaRefusal(this.pool, tenantId, measure, this.settings.OPERATOR_QUOTA_PAUSE_SECONDS);
    }
    return EVERY_MS;
  }
}
