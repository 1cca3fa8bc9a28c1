import { setTimeout as sleep } from 'node:timers/promises';
import { SeededRandom, seedFor } from '../random';
import type { Admin } from './admin';
import { DESTINATIONS } from './destinations';

const PAUSE_MS = { least: 1_000, most: 3_000 };
const AT_REST_MS = 500;
/** Share of answered actions that are sent once more, with the same key. */
const AGAIN = 0.3;
const DISCARD_SHARE = 0.1;
const LIMIT = { retry: 50, discard: 2 };

/** An operator who retries or discards the deliveries that block keys of ordered destinations. */
export class Unblocker {
  private stopped = false;
  private readonly random: SeededRandom;

  constructor(
    seed: number,
    private readonly admin: Admin,
    private readonly destinations: ReadonlyMap<string, string>,
  ) {
    this.random = new SeededRandom(seedFor(seed, 'unblocker'));
  }

  async run(): Promise<void> {
    while (!this.stopped) {
      await sleep(this.random.between(PAUSE_MS.least, PAUSE_MS.most));
      await this.unblock(this.random.chance(DISCARD_SHARE) ? 'discard' : 'retry');
    }
  }

  /** Stops after the current action. */
  stop(): void {
    this.stopped = true;
  }

  /** Retries what blocks a key until `coming` is done, so that everything can come to rest. */
  async during<T>(coming: () => Promise<T>): Promise<T> {
    this.stopped = false;
    const retrying = this.retryAll();
    try {
      return await coming();
    } finally {
      this.stopped = true;
      await retrying;
    }
  }

  private async retryAll(): Promise<void> {
    while (!this.stopped) {
      await this.unblock('retry');
      await sleep(AT_REST_MS);
    }
  }

  private async unblock(what: 'retry' | 'discard'): Promise<void> {
    for (const { name, tenant } of DESTINATIONS.filter(({ onPoison }) => onPoison === 'block')) {
      const destinationId = this.destinations.get(name);
      const found = await this.admin.ask('look', 'GET', `destinations/${destinationId}`);
      if (Number((found?.health as { parked?: number } | undefined)?.parked ?? 0) === 0) continue;
      const request = { tenantId: tenant, destinationId, status: 'FAILED', limit: LIMIT[what] };
      await this.admin.act(`deliveries.${what}`, `deliveries/${what}`, request, this.random.chance(AGAIN));
    }
  }
}
