import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { Loop } from '../runtime/loop';
import { Metrics } from './metrics';

const EVERY_MS = 10_000;

type Figures = Record<string, number>;

/**
 * Logs one line at info for every ten seconds in which the process did anything. Lines for single batches and claims
 * are at debug, because there are too many of them: under low load every event is its own batch, and under high load
 * there are hundreds of batches a second. The figures come from the metrics counters and cost the hot path nothing.
 */
@Injectable()
export class SummaryLog implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Summary');
  private readonly loop = new Loop('Summary', () => this.runOnce());
  private before: Figures = {};

  constructor(private readonly metrics: Metrics) {}

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await this.runOnce();
  }

  async runOnce(): Promise<number> {
    const now = await this.read();
    const changes = Object.entries(now).flatMap(([name, value]) => {
      const change = value - (this.before[name] ?? 0);
      return change > 0 ? [[name, change] as const] : [];
    });
    this.before = now;
    if (changes.length > 0) this.logger.log({ msg: 'summary', ...Object.fromEntries(changes) });
    return EVERY_MS;
  }

  private async read(): Promise<Figures> {
    const { ingestTotal, outboxPublished, outboxLostLease, workerAttempts, workerPostponed, reconciled } = this.metrics;
    return {
      ...(await byLabel(ingestTotal, 'status')),
      published: await total(outboxPublished),
      lostLeases: await total(outboxLostLease),
      reconciled: await total(reconciled),
      ...(await byLabel(workerAttempts, 'status', 'attempts')),
      postponed: await total(workerPostponed),
    };
  }
}

async function total<T extends string>(counter: Counter<T>): Promise<number> {
  return (await counter.get()).values.reduce((sum, { value }) => sum + value, 0);
}

/** Sums a counter by the values of one label. Names are the values: `accepted`, or `attemptsSUCCESS` with a prefix. */
async function byLabel<T extends string>(counter: Counter<T>, label: T, prefix = ''): Promise<Figures> {
  const figures: Figures = {};
  for (const { labels, value } of (await counter.get()).values) {
    const name = `${prefix}${labels[label]}`;
    figures[name] = (figures[name] ?? 0) + value;
  }
  return figures;
}
