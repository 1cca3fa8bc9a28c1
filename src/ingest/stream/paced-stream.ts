import { Logger } from '@nestjs/common';
import type { Measure, Reservation } from '../../access/limits/meter';
import type { TenantLimiter } from '../../access/limits/tenant-limiter';
import type { RequestContext } from '../../event/prepare-event';
import type { Problem } from '../../event/problems';
import type { Metrics } from '../../observability/metrics';
import type { LimitQueue, Wait } from './limit-queue';

export interface StreamOwner extends Pick<RequestContext, 'tenantId' | 'correlationId'> {
  /** Returns why the sender may not go on, or undefined. */
  refusal: () => Promise<Problem | undefined>;
}

interface PaceParts {
  limiter: TenantLimiter;
  metrics: Metrics;
  queues: Readonly<Record<Measure, LimitQueue>>;
  /** Bounds the total of all waits. */
  maxWaitMs: number;
  onClose: () => void;
}

/**
 * Paces one stream to the limits of its tenant. It reserves bytes as it is read and events before they are stored, and
 * may wait for both at the same time.
 */
export class PacedStream {
  private readonly logger = new Logger('Ingest');
  private readonly waits = new Set<Wait>();
  private earlierWaitsMs = 0;
  private waitsSinceMs = 0;
  private stoppedBy: ((measure: Measure) => Problem) | undefined;
  private brokenBy: Problem | undefined;
  private onBreakOff: (problem: Problem) => void = () => undefined;
  private closed = false;

  constructor(
    private readonly owner: StreamOwner,
    private readonly parts: PaceParts,
  ) {}

  get tenantId(): string {
    return this.owner.tenantId;
  }

  /** How long the stream has waited for a limit, including the wait that goes on. */
  get waitedMs(): number {
    return this.earlierWaitsMs + (this.waits.size > 0 ? performance.now() - this.waitsSinceMs : 0);
  }

  get limitsBytes(): boolean {
    return this.parts.limiter.bytes.limitOf(this.owner.tenantId) > 0;
  }

  /**
   * Charges at least one and up to `wanted` bytes that were read. Waits while the limit is used up.
   * @returns how many were charged
   * @throws Problem when the stream has waited for too long, must not wait, or may not go on
   */
  async chargeBytes(wanted: number): Promise<number> {
    return (await this.reserveOf('bytes', wanted)).points;
  }

  /**
   * Reserves at least one and up to `wanted` events. Waits while the limit is used up.
   * @throws Problem when the stream has waited for too long, must not wait, or may not go on
   */
  async reserve(wanted: number): Promise<Reservation> {
    const refusal = await this.owner.refusal();
    if (refusal) throw refusal;
    return this.reserveOf('events', wanted);
  }

  /** Returns events of a reservation that cost nothing. */
  giveBack(reservation: Reservation, events: number): void {
    this.parts.limiter.giveBack(reservation, events);
  }

  /** Ends the stream with this problem as soon as it has to wait. What is within the limits is still stored. */
  stopWaiting(problem: (measure: Measure) => Problem): void {
    this.stoppedBy ??= problem;
    for (const wait of this.waits) this.take(wait).fail(this.stoppedBy(wait.measure));
  }

  /** Reads nothing more of the stream. What was read before is still stored. */
  breakOff(problem: Problem): void {
    this.brokenBy ??= problem;
    this.onBreakOff(problem);
  }

  /** @param onBreakOff called when the stream is broken off, at once if it already was */
  whenBrokenOff(onBreakOff: (problem: Problem) => void): void {
    this.onBreakOff = onBreakOff;
    if (this.brokenBy) onBreakOff(this.brokenBy);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    for (const wait of this.waits) this.take(wait).end(); // the source of a broken stream may still wait
    const { tenantId, correlationId } = this.owner;
    const waitedMs = Math.round(this.waitedMs);
    if (waitedMs > 0) this.logger.log({ msg: 'stream.paced', tenantId, correlationId, waitedMs });
    this.parts.onClose();
  }

  /** Takes a wait out of its queue, so that nothing is reserved for it any more. */
  private take(wait: Wait): Wait {
    this.parts.queues[wait.measure].leave(wait);
    return wait;
  }

  private async reserveOf(measure: Measure, wanted: number): Promise<Reservation> {
    const { queues, limiter } = this.parts;
    const reservation = (await queues[measure].reserveNow(wanted)) ?? (await this.waitFor(measure, wanted));
    if (reservation) return reservation;
    throw limiter.problem(this.owner.tenantId, measure, ' The stream has waited as long as it may.');
  }

  private async waitFor(measure: Measure, wanted: number): Promise<Reservation | undefined> {
    const leftMs = this.parts.maxWaitMs - this.waitedMs;
    if (this.stoppedBy) throw this.stoppedBy(measure);
    if (leftMs <= 0 || this.closed) return undefined;
    const { refusal } = this.owner;
    let wait: Wait | undefined;
    try {
      return await new Promise<Reservation | undefined>((end, fail) => {
        wait = { measure, wanted, endsAtMs: performance.now() + leftMs, refusal, end, fail };
        this.begin(wait);
        this.parts.queues[measure].wait(wait);
      });
    } finally {
      if (wait) this.end(this.take(wait));
    }
  }

  private begin(wait: Wait): void {
    const { tenantId, correlationId } = this.owner;
    if (this.waits.size === 0) {
      if (this.earlierWaitsMs === 0)
        this.logger.log({ msg: 'stream.waits-for-limit', tenantId, correlationId, limit: wait.measure });
      this.waitsSinceMs = performance.now();
      this.parts.metrics.streamsWaiting.inc();
    }
    this.waits.add(wait);
  }

  private end(wait: Wait): void {
    this.waits.delete(wait);
    if (this.waits.size > 0) return;
    const { metrics } = this.parts;
    const waitedMs = performance.now() - this.waitsSinceMs;
    this.earlierWaitsMs += waitedMs;
    metrics.streamsWaiting.dec();
    metrics.streamPacedSeconds.inc(waitedMs / 1_000);
  }
}
