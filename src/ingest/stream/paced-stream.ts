import { Logger } from '@nestjs/common';
import type { Reservation } from '../../access/limits/meter';
import type { TenantLimiter } from '../../access/limits/tenant-limiter';
import type { RequestContext } from '../../event/prepare-event';
import type { Problem } from '../../event/problems';
import type { Metrics } from '../../observability/metrics';
import type { TenantStreams, Wait } from './tenant-streams';

export type StreamOwner = Pick<RequestContext, 'tenantId' | 'correlationId'>;

interface PaceParts {
  limiter: TenantLimiter;
  metrics: Metrics;
  /** Bounds the total of all waits. */
  maxWaitMs: number;
  onClose: () => void;
}

/** One stream that reserves events before they are stored, and waits for the limit of its tenant. */
export class PacedStream {
  private readonly logger = new Logger('Ingest');
  private earlierWaitsMs = 0;
  private wait: Wait | undefined;
  private waitsSinceMs = 0;
  private stoppedBy: Problem | undefined;
  private closed = false;

  constructor(
    private readonly owner: StreamOwner,
    private readonly streams: TenantStreams,
    private readonly parts: PaceParts,
  ) {}

  get tenantId(): string {
    return this.owner.tenantId;
  }

  /** How long the stream has waited for the limit, including the wait that goes on. */
  get waitedMs(): number {
    return this.earlierWaitsMs + (this.wait ? performance.now() - this.waitsSinceMs : 0);
  }

  /**
   * Reserves at least one and up to `wanted` events. Waits while the limit is used up.
   * @throws Problem when the stream has waited for too long or must not wait
   */
  async reserve(wanted: number): Promise<Reservation> {
    const reservation = (await this.streams.reserveNow(wanted)) ?? (await this.waitFor(wanted));
    if (!reservation)
      throw this.parts.limiter.problem(this.owner.tenantId, ' The stream has waited as long as it may.');
    return reservation;
  }

  /** Returns events of a reservation that cost nothing. */
  giveBack(reservation: Reservation, events: number): void {
    this.parts.limiter.giveBack(reservation, events);
  }

  /** Ends the stream with this problem as soon as it has to wait. What is within the limit is still stored. */
  stopWaiting(problem: Problem): void {
    this.stoppedBy ??= problem;
    this.wait?.fail(this.stoppedBy);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.earlierWaitsMs > 0) {
      this.logger.log({ msg: 'stream.paced', ...this.owner, waitedMs: Math.round(this.earlierWaitsMs) });
    }
    this.parts.onClose();
  }

  private waitFor(wanted: number): Promise<Reservation | undefined> {
    const { maxWaitMs, metrics } = this.parts;
    const leftMs = maxWaitMs - this.earlierWaitsMs;
    if (this.stoppedBy) return Promise.reject(this.stoppedBy);
    if (leftMs <= 0) return Promise.resolve(undefined);
    if (this.earlierWaitsMs === 0) this.logger.log({ msg: 'stream.waits-for-limit', ...this.owner });
    this.waitsSinceMs = performance.now();
    metrics.streamsWaiting.inc();
    return new Promise<Reservation | undefined>((resolve, reject) => {
      this.wait = { wanted, endsAtMs: this.waitsSinceMs + leftMs, end: resolve, fail: reject };
      this.streams.wait(this.wait);
    }).finally(() => {
      const waitedMs = performance.now() - this.waitsSinceMs;
      if (this.wait) this.streams.leave(this.wait);
      this.wait = undefined;
      this.earlierWaitsMs += waitedMs;
      metrics.streamsWaiting.dec();
      metrics.streamPacedSeconds.inc(waitedMs / 1_000);
    });
  }
}
