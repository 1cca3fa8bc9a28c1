import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import { BACKLOG_STATES, countOpenDeliveries, type BacklogState } from '../delivery-state/queue-outlook.queries';
import { countDisabledDestinations } from '../destinations/destinations.queries';
import { countFailedDeliveries } from '../delivery-state/failed-deliveries.queries';
import { BACKLOG_CAP, countDeadLetters, readOutboxFigures } from '../event-state/figures.queries';
import { Metrics } from '../observability/metrics';
import { Loop } from '../runtime/loop';

const EVERY_MS = 5_000;

/**
 * Refreshes the gauges of the outbox, the DLQ, deliveries and disabled destinations on a timer, so that a scrape runs no
 * query.
 */
@Injectable()
export class OutboxGauges implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop = new Loop('Outbox gauges', () => this.runOnce());

  constructor(
    private readonly pool: Pool,
    private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  async runOnce(): Promise<number> {
    const { pending, inFlight, failed, oldestOpenSeconds } = await readOutboxFigures(this.pool);
    this.metrics.outboxBacklog.set(Math.min(pending + inFlight, BACKLOG_CAP));
    this.metrics.outboxOldestPending.set(oldestOpenSeconds ?? 0);
    this.metrics.outboxFailed.set(failed);
    this.metrics.dlqSize.set((await countDeadLetters(this.pool)) + (await countFailedDeliveries(this.pool)));
    this.setBacklog(await countOpenDeliveries(this.pool));
    this.metrics.destinationsDisabled.set(await countDisabledDestinations(this.pool));
    return EVERY_MS;
  }

  private setBacklog(open: ReadonlyMap<BacklogState, number>): void {
    for (const state of BACKLOG_STATES) this.metrics.deliveryBacklog.set({ state }, open.get(state) ?? 0);
    this.metrics.deliveryQueue.set([...open.values()].reduce((sum, count) => sum + count, 0));
  }
}
