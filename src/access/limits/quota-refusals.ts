import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
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
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async runOnce(): Promise<number> {
    for (const { tenantId, measure } of this.limiter.takeReached().slice(0, MOST_AT_ONCE)) {
      await recordQuotaRefusal(this.pool, tenantId, measure);
    }
    return EVERY_MS;
  }
}
