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
import { WakeUp } from '../redis/wake-up';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { readDeadLetterReasons, type DeadLetterReason } from '../event-state/dead-letter-reasons.queries';
import { timeOfDayMs } from '../event/time-of-day';
import { Metrics } from '../observability/metrics';
import { RareLog } from '../observability/rare-log';
import { Loop } from '../runtime/loop';
import { ClaimPace } from './claim-pace';
import { ClaimReport } from './claim-report';
import { claimDueEntries, type Claim, type ClaimRequest } from './claim.queries';
import { leaseOf, markFailed, markPublished, releaseEntries, type EntryKey } from './close-entries.queries';
import { decideClosing, type Closing } from './decide-closing';
import { QueueRoom } from './queue-room';
import { RestingTenants } from './resting-tenants';
import { toMessage, type ClaimedEntry } from './outbox-entry';

const MIN_POLL_MS = 5;
const MAX_POLL_MS = 200;
/** Between claims that found nothing, while other tenants may have due entries. */
const LANES_POLL_MS = 20;
/**
 * Payload bytes per claim; the last event may exceed it. 1,000 events of 256 kB would need 256 MB, several times over
 * while encoding.
 */
const CLAIM_MAX_BYTES = 16 * 1024 * 1024;
/** The first loop wakes the second when there is a backlog. */
const SECOND_POLL_MS = 60_000;

/** How a claim has ended. `more`: further entries may be due. `no-room`: the workers have enough to do. */
type Move = 'more' | 'all' | 'nothing' | 'no-room';

/**
 * Moves outbox entries to the broker: claims them, publishes them, closes the confirmed ones and releases the rest.
 * During a backlog two claims are in flight, so that PostgreSQL works on one while the broker works on the other.
 */
@Injectable()
export class Publisher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Publisher');
  private readonly loop = new Loop('Publisher', () => this.runOnce());
  private readonly secondLoop = new Loop('Publisher, second claim', () => this.runSecond());
  private readonly pace: ClaimPace;
  private readonly room: QueueRoom;
  private readonly resting = new RestingTenants();
  private readonly blind = new RareLog();
  private idlePollMs = MIN_POLL_MS;
  /** The last tenant that a claim has looked at, while there are more than one claim looks at. */
  private lastLane: string | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly pool: Pool,
    private readonly broker: Broker,
    private readonly wakeUp: WakeUp,
    private readonly metrics: Metrics,
  ) {
    this.pace = new ClaimPace(settings.OUTBOX_BATCH_SIZE);
    this.room = new QueueRoom(broker);
  }

  onApplicationBootstrap(): void {
    this.stopListening = this.wakeUp.listen(() => this.loop.wake());
    this.loop.start();
    this.secondLoop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening?.();
    await Promise.all([this.loop.stop(), this.secondLoop.stop()]);
  }

  /** Runs one claim, from lease to close. Returns the wait before the next one in ms. */
  async runOnce(): Promise<number> {
    if (!this.broker.canPublish()) return MAX_POLL_MS; // I9: claim only what can be published
    const waitMs = this.pace.waitMs(performance.now());
    if (waitMs > 0) return Math.min(waitMs, MAX_POLL_MS);
    const move = await this.moveBatch();
    if (move === 'nothing') return this.nextIdlePoll();
    this.idlePollMs = MIN_POLL_MS;
    return move === 'more' ? 0 : MIN_POLL_MS;
  }

  private async runSecond(): Promise<number> {
    if (!this.broker.canPublish() || !this.pace.atFullSize) return SECOND_POLL_MS;
    return (await this.moveBatch()) === 'more' ? 0 : SECOND_POLL_MS; // otherwise the first loop wakes it
  }

  private async moveBatch(): Promise<Move> {
    const places = await this.placesFor(this.pace.limit);
    return places === 0 ? 'no-room' : this.moveUpTo(places);
  }

  /** What is claimed beyond these would only wait behind the messages of others. */
  private async placesFor(limit: number): Promise<number> {
    try {
      return await this.room.take(limit, performance.now());
    } catch (error) {
      this.blind.log((count) =>
        this.logger.warn({
          msg: 'nothing is published: RabbitMQ did not say how long events.main is',
          count,
          err: error,
        }),
      );
      return 0;
    }
  }

  private async moveUpTo(places: number): Promise<Move> {
    const token = randomUUID();
    const request = {
      token,
      afterLane: this.lastLane ?? '',
      without: this.resting.now(performance.now()),
      limit: places,
      maxBytes: CLAIM_MAX_BYTES,
      leaseSeconds: this.settings.OUTBOX_INFLIGHT_LEASE_SECONDS,
    };
    const { entries: claimed, orphans, more, cutAt, lastLane, resting } = await this.claim(request);
    this.lastLane = lastLane;
    this.resting.add(resting, performance.now());
    if (orphans.length > 0)
      await this.closeAs({ kind: 'fail', reason: 'its event is no longer stored' }, token, orphans);
    const entries = await this.withoutCopies(token, claimed);
    this.room.giveBack(places - entries.length);
    const move = more ? 'more' : 'all';
    if (entries.length === 0) return orphans.length + claimed.length > 0 ? move : 'nothing';
    if (more && this.pace.atFullSize) this.secondLoop.wake();
    const reasons = await this.reasonsOf(entries);
    const messages = entries.map((entry) => toMessage(entry, reasons));
    const report = new ClaimReport(this.logger, entries, messages);
    const outcomes = await this.broker.publish(messages, this.settings.PUBLISH_TIMEOUT_MS);
    report.published(outcomes);
    this.pace.learn(outcomes, performance.now(), cutAt);
    // The probes that follow begin with the tenants of this claim: one of their entries has broken the channel.
    if (outcomes.includes('channel-broken')) this.lastLane = request.afterLane || undefined;
    for (const { closing, entries: sameClosing } of groupByClosing(entries, outcomes))
      await this.closeAs(closing, token, sameClosing);
    return move;
  }

  private async claim(request: ClaimRequest): Promise<Claim> {
    try {
      return await claimDueEntries(this.pool, request);
    } catch (error) {
      this.room.giveBack(request.limit);
      throw error;
    }
  }

  /**
   * Without DLQ_COPY, entries for events.dlq are closed unsent: a worker of the build before has appended them, or one
   * with another setting. They are copies, so I3 promises nothing about them.
   */
  private async withoutCopies(token: string, claimed: readonly ClaimedEntry[]): Promise<readonly ClaimedEntry[]> {
    if (this.settings.DLQ_COPY || !claimed.some(isCopy)) return claimed;
    await markPublished(this.pool, leaseOf(token, claimed.filter(isCopy)));
    return claimed.filter((entry) => !isCopy(entry));
  }

  private async reasonsOf(entries: readonly ClaimedEntry[]): Promise<ReadonlyMap<string, DeadLetterReason>> {
    const copies = entries.filter(isCopy);
    return copies.length === 0
      ? NO_REASONS
      : readDeadLetterReasons(
          this.pool,
          copies.map(({ event }) => event.id),
        );
  }

  private async closeAs(closing: Closing, token: string, entries: readonly EntryKey[]): Promise<void> {
    const lease = leaseOf(token, entries);
    const closed = await this.closeAlike(lease, closing);
    if (closing.kind === 'publish') {
      this.metrics.outboxPublished.inc(closed);
      this.measureWaits(entries);
      this.countLostLeases(entries.length - closed);
    } else {
      this.metrics.outboxPublishFailures.inc({ kind: closing.kind }, closed);
      const what = closing.kind === 'fail' ? 'FAILED until an operator requeues them' : 'back in the outbox';
      this.logger.warn({ msg: `${closed} entries are ${what}: ${closing.reason}`, firstEntry: lease.ids[0] });
    }
  }

  private closeAlike(lease: ReturnType<typeof leaseOf>, closing: Closing): Promise<number> {
    switch (closing.kind) {
      case 'publish':
        return markPublished(this.pool, lease);
      case 'fail':
        return markFailed(this.pool, lease, closing.reason);
      case 'release':
        return releaseEntries(this.pool, lease, closing);
    }
  }

  /** The entries of one transaction have the same instant, which is then read once. */
  private measureWaits(entries: readonly EntryKey[]): void {
    const waits = this.metrics.durations.stages.of({ stage: 'publish' });
    const nowMs = timeOfDayMs();
    let [instant, waitedSeconds] = ['', 0];
    for (const { createdAt } of entries) {
      if (createdAt !== instant) {
        waitedSeconds = Math.max(0, nowMs - Date.parse(createdAt)) / 1_000; // of two clocks
        instant = createdAt;
      }
      waits.observe(waitedSeconds);
    }
  }

  private countLostLeases(count: number): void {
    if (count === 0) return;
    this.metrics.outboxLostLease.inc(count);
    this.logger.warn(`${count} entries were published after their lease expired, and will be published again`);
  }

  private nextIdlePoll(): number {
    if (this.lastLane !== undefined) return LANES_POLL_MS; // only the tenants that it looked at have nothing due
    const wait = this.idlePollMs;
    this.idlePollMs = Math.min(this.idlePollMs * 2, MAX_POLL_MS);
    return wait;
  }
}

const NO_REASONS: ReadonlyMap<string, DeadLetterReason> = new Map();
const isCopy = ({ destination }: ClaimedEntry): boolean => destination === 'dlq';

/** Groups the entries that one statement can close. The group of published entries comes first. */
function groupByClosing(
  entries: readonly ClaimedEntry[],
  outcomes: readonly PublishOutcome[],
): { closing: Closing; entries: ClaimedEntry[] }[] {
  const groups = new Map<string, { closing: Closing; entries: ClaimedEntry[] }>();
  const published: ClaimedEntry[] = [];
  entries.forEach((entry, i) => {
    const closing = decideClosing(outcomes[i] as PublishOutcome, entry.attempts);
    if (closing.kind === 'publish') {
      published.push(entry);
      return;
    }
    const key = `${closing.kind} ${closing.reason}`;
    const group = groups.get(key);
    if (group) group.entries.push(entry);
    else groups.set(key, { closing, entries: [entry] });
  });
  const first = published.length > 0 ? [{ closing: { kind: 'publish' } as const, entries: published }] : [];
  return [...first, ...groups.values()];
}
