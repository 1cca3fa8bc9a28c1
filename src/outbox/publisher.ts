import { randomUUID } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Pool } from 'pg';
import { Broker, type PublishOutcome } from '../broker/broker';
import { WakeUp } from '../cache/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Metrics } from '../observability/metrics';
import { Loop } from '../runtime/loop';
import { claimDueEntries, markPublished, releaseEntries } from './claim.queries';
import { toMessage, type ClaimedEntry } from './outbox-entry';

const MIN_POLL_MS = 5;
const MAX_POLL_MS = 200;
/** How long an entry rests that the broker answered but did not take. */
const REFUSED_WAIT_SECONDS = 5;

/** Moves outbox entries to the broker: claim → publish → close what was confirmed, give back the rest. */
@Injectable()
export class Publisher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Publisher');
  private readonly loop = new Loop('Publisher', () => this.runOnce());
  private idlePollMs = MIN_POLL_MS;
  private stopListening: (() => void) | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(Pool) private readonly pool: Pool,
    @Inject(Broker) private readonly broker: Broker,
    @Inject(WakeUp) private readonly wakeUp: WakeUp,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  onApplicationBootstrap(): void {
    this.stopListening = this.wakeUp.listen(() => this.loop.wake());
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening?.();
    await this.loop.stop();
  }

  /** One claim, from lease to close. Returns the wait before the next one, in ms. */
  async runOnce(): Promise<number> {
    if (!this.broker.canPublish()) return MAX_POLL_MS; // I9: nothing is claimed that could not be published
    const { OUTBOX_BATCH_SIZE, OUTBOX_INFLIGHT_LEASE_SECONDS, PUBLISH_TIMEOUT_MS } = this.settings;
    const token = randomUUID();
    const entries = await claimDueEntries(this.pool, {
      token,
      limit: OUTBOX_BATCH_SIZE,
      leaseSeconds: OUTBOX_INFLIGHT_LEASE_SECONDS,
    });
    if (entries.length === 0) return this.nextIdlePoll();
    this.idlePollMs = MIN_POLL_MS;
    const outcomes = await this.broker.publish(entries.map(toMessage), PUBLISH_TIMEOUT_MS);
    await this.close(token, entries, outcomes);
    return entries.length === OUTBOX_BATCH_SIZE ? 0 : MIN_POLL_MS;
  }

  private async close(token: string, entries: ClaimedEntry[], outcomes: PublishOutcome[]): Promise<void> {
    const idsWith = (...wanted: PublishOutcome[]) =>
      entries.filter((_, i) => wanted.includes(outcomes[i] as PublishOutcome)).map(({ id }) => id);
    const confirmed = idsWith('confirmed');
    if (confirmed.length > 0) {
      const closed = await markPublished(this.pool, token, confirmed);
      this.metrics.outboxPublished.inc(closed);
      this.countLostLeases(confirmed.length - closed);
    }
    await this.giveBack(token, idsWith('unconfirmed'), 'the broker did not answer', 0, false);
    await this.giveBack(token, idsWith('unroutable'), 'the broker has no queue for it', REFUSED_WAIT_SECONDS, true);
    await this.giveBack(token, idsWith('refused'), 'the broker refused it', REFUSED_WAIT_SECONDS, true);
  }

  private async giveBack(
    token: string,
    ids: string[],
    reason: string,
    waitSeconds: number,
    countsAsAttempt: boolean,
  ): Promise<void> {
    if (ids.length === 0) return;
    this.logger.warn(`${ids.length} entries go back to the outbox: ${reason}`);
    await releaseEntries(this.pool, { token, ids, reason, waitSeconds, countsAsAttempt });
  }

  private countLostLeases(count: number): void {
    if (count === 0) return;
    this.metrics.outboxLostLease.inc(count);
    this.logger.warn(`${count} entries were published, but their lease had run out; they will be published again`);
  }

  private nextIdlePoll(): number {
    const wait = this.idlePollMs;
    this.idlePollMs = Math.min(this.idlePollMs * 2, MAX_POLL_MS);
    return wait;
  }
}
