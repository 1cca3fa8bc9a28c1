import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { claimDeliveries } from '../delivery-state/claim-deliveries.queries';
import { forgetOrphans } from '../delivery-state/settle-deliveries.queries';
import { AttemptSettler } from './attempt-settler';
import { DeliveryLines } from './delivery-lines';
import type { DeliveryLine } from './delivery-line';
import { Dispatcher } from './dispatcher';

/** Bytes of the events of one claim; the last event may exceed it. */
const CLAIM_MAX_BYTES = 4 * 1024 * 1024;
const MOST_DESTINATIONS = 500;
/** A delivery that waited for its turn longer than this is given back, so that its lease cannot expire in its attempt. */
const MOST_READY_MS = 10_000;
/** For the settling of an attempt. */
const LEASE_MARGIN_SECONDS = 10;
const AFTER_FAILURE_MS = 1_000;
const MOST_SLEEP_MS = 60_000;

/**
 * Leases deliveries for free places and starts them in turn. One claim serves all destinations that want deliveries; while
 * it is under way, places become free for the next one.
 */
@Injectable()
export class DeliveryClaims {
  private readonly logger = new Logger('Deliveries');
  private claiming: Promise<void> | undefined;
  private planned = false;
  private timer: NodeJS.Timeout | undefined;
  private pausedUntilMs = 0;
  private stopping = false;

  constructor(
    private readonly pool: Pool,
    private readonly lines: DeliveryLines,
    private readonly dispatcher: Dispatcher,
    private readonly settler: AttemptSettler,
  ) {
    dispatcher.onFree = () => this.wake();
  }

  /** Looks for work after this turn of the event loop, once for all that became free in it. */
  wake(): void {
    if (this.planned || this.stopping) return;
    this.planned = true;
    setImmediate(() => {
      this.planned = false;
      this.look();
    });
  }

  /** Claims no more, and gives back what waits for its turn. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await this.claiming;
    for (const line of this.lines.busy()) this.release(line);
  }

  private look(): void {
    if (this.stopping) return;
    clearTimeout(this.timer);
    const nowMs = Date.now();
    this.lines.share(nowMs);
    for (const line of this.lines.busy()) this.startReady(line, nowMs);
    if (!this.claiming && nowMs >= this.pausedUntilMs && this.dispatcher.hasRoom) this.claimWanted(nowMs);
    this.sleep(nowMs);
  }

  private claimWanted(nowMs: number): void {
    const wanting = this.lines
      .busy()
      .map((line) => ({ line, free: line.wanted(nowMs) }))
      .filter(({ free }) => free > 0)
      .slice(0, MOST_DESTINATIONS);
    if (wanting.length === 0) return;
    this.claiming = this.claim(wanting)
      .catch((error: unknown) => {
        this.pausedUntilMs = Date.now() + AFTER_FAILURE_MS;
        this.logger.warn({ msg: 'deliveries cannot be claimed', err: error });
      })
      .finally(() => {
        this.claiming = undefined;
        this.wake();
      });
  }

  private async claim(wanting: readonly { line: DeliveryLine; free: number }[]): Promise<void> {
    const lease = randomUUID();
    const beganMs = Date.now();
    const requests = wanting.map(({ line: { destination }, free }) => ({
      destinationId: destination.id,
      free,
      leaseSeconds: (destination.timeoutMs + MOST_READY_MS) / 1_000 + LEASE_MARGIN_SECONDS,
    }));
    const { deliveries, orphans, cut } = await claimDeliveries(this.pool, requests, lease, CLAIM_MAX_BYTES);
    if (orphans.length > 0)
      await forgetOrphans(
        this.pool,
        orphans.map((key) => ({ ...key, lease })),
      );
    const byId = Map.groupBy(deliveries, ({ destinationId }) => destinationId);
    const leasedMs = Date.now();
    for (const { line, free } of wanting) {
      const own = byId.get(line.destination.id) ?? [];
      if (own.length < free && !cut && orphans.length === 0) line.drained(beganMs);
      if (own.some(({ probes }) => probes)) line.probed(leasedMs + line.destination.timeoutMs + MOST_READY_MS);
      line.ready.push(...own.map((delivery) => ({ delivery, leasedMs })));
    }
  }

  private startReady(line: DeliveryLine, nowMs: number): void {
    for (;;) {
      const [first] = line.ready;
      if (!first) return;
      const { delivery, leasedMs } = first;
      const isLate = nowMs - leasedMs > MOST_READY_MS; // the destination hangs
      if (!line.takes || (!delivery.probes && (line.isOpen || isLate))) {
        this.release(line);
        return;
      }
      if (!line.takePlace(nowMs, delivery.probes)) return;
      line.ready.shift();
      this.dispatcher.start(line, delivery);
    }
  }

  private release(line: DeliveryLine): void {
    this.settler.release(line.ready.splice(0).map(({ delivery }) => ({ line, delivery, waitSeconds: 0 })));
  }

  private sleep(nowMs: number): void {
    let nextMs = nowMs + MOST_SLEEP_MS;
    for (const line of this.lines.busy()) nextMs = Math.min(nextMs, line.nextMs(nowMs));
    if (this.claiming || nextMs <= nowMs) nextMs = Math.max(nextMs, this.pausedUntilMs, nowMs + 50);
    this.timer = setTimeout(() => this.look(), Math.max(1, nextMs - nowMs));
  }
}
