import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { reportOutage } from '../db/outages';
import { claimDeliveries } from '../delivery-state/claim-deliveries.queries';
import { forgetOrphans } from '../delivery-state/settle-deliveries.queries';
import { DestinationRegistry } from '../destinations/destination-registry';
import { Installation, InstallationMoved } from '../integrity/installation';
import { elapsedMs } from '../event/elapsed-time';
import { DeliveryLines } from './delivery-lines';
import type { DeliveryLine } from './delivery-line';
import { Dispatcher } from './dispatcher';
import { LineWaker } from './line-waker';
import { SETTLING_MS } from './decide/timed-delivery';

/** Bytes of the events of one claim; the last event may exceed it. */
const CLAIM_MAX_BYTES = 4 * 1024 * 1024;
const MOST_DESTINATIONS = 500;
/** A delivery that waited for its turn longer than this is given back. */
const MOST_READY_MS = 10_000;
/** For making the body of the request. */
const RENDERING_MS = 5_000;
const AFTER_FAILURE_MS = 1_000;

/**
 * Leases deliveries for free places and starts them in turn. One claim serves all destinations that want deliveries; while
 * it is under way, places become free for the next one. Only lines that were woken are looked at.
 */
@Injectable()
export class DeliveryClaims {
  private readonly logger = new Logger('Deliveries');
  private readonly waker = new LineWaker(() => this.look());
  /** Lines that want deliveries, in the order in which claims serve them. */
  private readonly wanting = new Set<DeliveryLine>();
  private readonly stopped = new AbortController();
  private claiming: Promise<void> | undefined;
  private refreshing: Promise<void> | undefined;

  constructor(
    private readonly pool: Pool,
    private readonly registry: DestinationRegistry,
    private readonly lines: DeliveryLines,
    private readonly dispatcher: Dispatcher,
    private readonly installation: Installation,
  ) {
    dispatcher.onFree = (line) => this.wake(line);
    registry.onChange(({ byId }) => {
      lines.changed(byId);
      this.wakeAll();
    });
  }

  /** Has to be told of every line for which there may be something to do. */
  wake(line: DeliveryLine): void {
    this.waker.wake(line);
  }

  /** After changes that may concern any line. A line that has nothing to do yet costs no look. */
  wakeAll(): void {
    const nowMs = performance.now();
    for (const line of this.lines.all()) if (!line.isIdle) this.waker.at(line, line.lookMs(nowMs), nowMs);
  }

  /** Claims no more, and gives back what waits for its turn. */
  async stop(): Promise<void> {
    this.stopped.abort();
    this.waker.stop();
    await Promise.all([this.claiming, this.refreshing]);
    for (const line of this.lines.all()) this.release(line);
  }

  private look(): void {
    if (this.refreshing) return;
    const stale = this.installation.unconfirmed()?.then(() => this.registry.refreshed()) ?? this.registry.refreshed();
    if (stale) this.waitFor(stale);
    else this.lookAt(this.waker.take());
  }

  /** Nothing starts by an old state of its destination. */
  private waitFor(stale: Promise<void>): void {
    this.refreshing = stale
      .then(
        // Not looked up again: where PostgreSQL is slow, the directory would be too old each time.
        () => this.lookAt(this.waker.take()),
        (error: unknown) => this.pauseAfter(error, 'destinations cannot be read'),
      )
      .finally(() => {
        this.refreshing = undefined;
        this.waker.soon();
      });
  }

  private lookAt(woken: ReadonlySet<DeliveryLine>): void {
    if (this.stopped.signal.aborted) return;
    const nowMs = performance.now();
    this.lines.share(nowMs);
    for (const line of woken) {
      this.startReady(line, nowMs);
      if (line.wanted(nowMs) > 0) this.wanting.add(line);
      const nextMs = line.nextMs(nowMs);
      if (nextMs > nowMs) this.waker.at(line, nextMs, nowMs); // otherwise the end of a request or of a claim wakes it
    }
    if (!this.claiming && this.dispatcher.hasRoom) this.claimWanted(nowMs);
  }

  private claimWanted(nowMs: number): void {
    const served: { line: DeliveryLine; free: number }[] = [];
    for (const line of this.wanting) {
      if (served.length === MOST_DESTINATIONS) break;
      this.wanting.delete(line);
      const free = line.wanted(nowMs);
      if (free > 0) served.push({ line, free });
    }
    if (served.length === 0) return;
    this.claiming = this.claim(served)
      .catch((error: unknown) => this.pauseAfter(error, 'deliveries cannot be claimed'))
      .finally(() => {
        this.claiming = undefined;
        for (const { line } of served) this.waker.wake(line);
      });
  }

  private async claim(served: readonly { line: DeliveryLine; free: number }[]): Promise<void> {
    const lease = randomUUID();
    const beganMs = performance.now();
    const leaseFromMs = elapsedMs();
    const requests = served.map(({ line, free }) => ({
      line,
      destinationId: line.destination.id,
      free,
      leaseSeconds: (MOST_READY_MS + RENDERING_MS + line.destination.timeoutMs + SETTLING_MS) / 1_000,
    }));
    const { deliveries, orphans, cut, history } = await claimDeliveries(this.pool, requests, lease, CLAIM_MAX_BYTES);
    // Again: the database may have been replaced since the look. What is not started stays in the queue.
    if (history !== undefined) await this.installation.unconfirmed(history);
    const byId = Map.groupBy(deliveries, ({ destinationId }) => destinationId);
    const leasedMs = performance.now();
    for (const { line, destinationId, free, leaseSeconds } of requests) {
      const own = byId.get(destinationId) ?? [];
      if (own.length < free && !cut && orphans.length === 0) line.drained(beganMs);
      if (own.some(({ probes }) => probes)) line.probed(leasedMs + line.destination.timeoutMs + MOST_READY_MS);
      const leaseEndsMs = leaseFromMs + leaseSeconds * 1_000;
      for (const delivery of own) {
        this.dispatcher.hold(delivery);
        line.ready.push({ delivery: { ...delivery, leasedAtMs: leaseFromMs, leaseEndsMs }, leasedMs });
      }
    }
    if (orphans.length === 0) return;
    for (const { line } of served) this.waker.wake(line); // what is leased does not wait for the orphans
    await forgetOrphans(
      this.pool,
      orphans.map((key) => ({ ...key, lease })),
    );
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
    for (const { delivery } of line.ready.splice(0)) this.dispatcher.release(line, delivery, 0);
  }

  private async pauseAfter(error: unknown, what: string): Promise<void> {
    // Of a moved installation, that one and /ready say so.
    const isSaid = error instanceof InstallationMoved || reportOutage(error);
    if (!isSaid) this.logger.warn({ msg: what, err: error });
    const { signal } = this.stopped;
    await sleep(AFTER_FAILURE_MS, undefined, { signal }).catch(() => undefined); // ends early at a shutdown
  }
}
