import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { Loop } from '../runtime/loop';
import { Metrics } from './metrics';

const EVERY_MS = 10_000;

type Figures = Record<string, number>;

/**
 * What a process did, in one line at info every ten seconds in which it did anything. Lines per batch or claim are at
 * debug: idle, every event is a batch of its own, and under load there are hundreds a second. The figures are read from
 * the counters, so they cost the hot path nothing.
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

/** `accepted`, or with a prefix `attemptsSUCCESS`, for each value of the label. */
async function byLabel<T extends string>(counter: Counter<T>, label: T, prefix = ''): Promise<Figures> {
  const figures: Figures = {};
  for (const { labels, value } of (await counter.get()).values) {
    const name = `${prefix}${labels[label]}`;
    figures[name] = (figures[name] ?? 0) + value;
  }
  return figures;
}
