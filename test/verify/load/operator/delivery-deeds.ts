import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from '../../run/journal';
import type { SeededRandom } from '../random';
import type { Admin } from './admin';
import { DESTINATIONS } from './destinations';

/** Share of answered actions that are sent once more, with the same key. */
const AGAIN = 0.3;
const ALWAYS = { from: '2020-01-01T00:00:00Z', to: '2100-01-01T00:00:00Z' };

/** What the operator does with deliveries: retry, discard, backfill, pause. */
export class DeliveryDeeds {
  /** Destinations whose pause was not answered: a frozen process may carry it out later. */
  private readonly maybePaused = new Set<string>();

  constructor(
    private readonly random: SeededRandom,
    private readonly admin: Admin,
    private readonly destinations: ReadonlyMap<string, string>,
    private readonly journal: Journal,
  ) {}

  all(): (() => Promise<void>)[] {
    return [
      () => this.change('retry', { status: this.random.pick(['FAILED', 'DISCARDED']) }),
      () => this.change('discard', {}),
      () => this.backfill(),
      () => this.pause(),
    ];
  }

  get mayHavePaused(): boolean {
    return this.maybePaused.size > 0;
  }

  async resumeAll(): Promise<void> {
    for (const name of this.maybePaused) await this.resume(name);
  }

  private async change(what: 'retry' | 'discard', filter: Record<string, unknown>): Promise<void> {
    const { random } = this;
    const limit = what === 'retry' ? random.between(5, 50) : random.between(1, 5);
    const { tenant } = random.pick(DESTINATIONS);
    const request = { tenantId: tenant, limit, ...filter };
    await this.admin.act(`deliveries.${what}`, `deliveries/${what}`, request, random.chance(AGAIN));
  }

  private async backfill(): Promise<void> {
    const { random } = this;
    const { name } = random.pick(DESTINATIONS);
    const request = { ...ALWAYS, ...(random.chance(0.5) && { limit: random.between(1, 200) }) };
    const path = `destinations/${this.destinations.get(name)}/backfill`;
    await this.admin.act('destination.backfill', path, request, random.chance(AGAIN));
  }

  private async pause(): Promise<void> {
    const { random, journal } = this;
    const { name } = random.pick(DESTINATIONS);
    const path = `destinations/${this.destinations.get(name)}/pause`;
    const done = await this.admin.ask('destination.pause', 'POST', path);
    if (!done) this.maybePaused.add(name);
    const surelyMs = journal.nowMs;
    await sleep(random.chance(0.5) ? random.between(200, 1_500) : random.between(3_500, 5_000));
    if (done) journal.append({ kind: 'paused', destination: name, surelyMs, toMs: journal.nowMs });
    await this.resume(name);
  }

  private async resume(name: string): Promise<void> {
    const path = `destinations/${this.destinations.get(name)}/resume`;
    await this.admin.untilDone('destination.resume', 'POST', path);
  }
}
