import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Pool } from 'pg';
import type { DeliveryLease, OrderPlace, PlannedDelivery, RecordedDelivery } from '../delivery-state/delivery';
import { readPlaces } from '../delivery-state/order/places.queries';
import type { SentEvent } from '../delivery-state/claim-deliveries.queries';
import { DESTINATION_LIMITS, type SealedDestination } from '../destinations/destination';
import { quietUntilMs } from '../destinations/operator/operator-rules';
import { DestinationRegistry } from '../destinations/destination-registry';
import type { DispatchedEvent } from '../event/dispatched-event';
import { elapsedMs } from '../event/elapsed-time';
import { timeOfDayMs } from '../event/time-of-day';
import { DeliveryClaims } from './delivery-claims';
import { DeliveryLines } from './delivery-lines';
import { DeliveryLoops } from './delivery-loops';
import { Dispatcher } from './dispatcher';
import { SETTLING_MS, type TimedDelivery } from './decide/timed-delivery';

/** For the commit of the settle transaction, and for making the body of the request. */
const COMMIT_MS = 10_000;
const NOTHING: readonly PlannedDelivery[] = [];
const NO_PLACES: ReadonlyMap<string, OrderPlace> = new Map();

/**
 * Delivers events to destinations: at once where this process has a free place, otherwise in the order in which they are
 * due. The worker plans deliveries before it settles events, records them in the same transaction, and hands them over
 * after the commit.
 */
@Injectable()
export class Deliveries implements OnApplicationBootstrap, BeforeApplicationShutdown {
  /** Seconds of a first try's lease: longer than any request to a destination, and its settling. */
  private readonly leaseSeconds = (COMMIT_MS + DESTINATION_LIMITS.timeoutMs.max + SETTLING_MS) / 1_000;
  private stopped: Promise<void> | undefined;
  /** Tenants with an ordered destination, by the newest directory. */
  private orderedTenants: ReadonlySet<string> = new Set();

  constructor(
    private readonly registry: DestinationRegistry,
    private readonly lines: DeliveryLines,
    private readonly dispatcher: Dispatcher,
    private readonly claims: DeliveryClaims,
    private readonly loops: DeliveryLoops,
    private readonly pool: Pool,
  ) {
    registry.onChange(({ byId }) => {
      this.orderedTenants = new Set([...byId.values()].filter(isOrdered).map(({ tenantId }) => tenantId));
    });
  }

  onApplicationBootstrap(): void {
    this.loops.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.stop();
  }

  /** I15: settles or releases what this process holds. First tries that are recorded later are released. */
  stop(): Promise<void> {
    this.stopped ??= this.stopAll();
    return this.stopped;
  }

  /**
   * Plans the deliveries of completed events, and reserves places for first tries, but not at ordered destinations: there
   * PostgreSQL decides whose turn it is. Reads memory only, unless the registry is too old or a destination is ordered.
   * @throws the error of PostgreSQL if they cannot be read
   */
  async plan(events: readonly DispatchedEvent[]): Promise<readonly PlannedDelivery[]> {
    const directory = await this.registry.current();
    if (directory.byId.size === 0) return NOTHING;
    const places = await this.placesOf(events);
    const nowMs = performance.now();
    this.lines.share(nowMs);
    const planned: PlannedDelivery[] = [];
    for (const event of events) {
      for (const destination of directory.all(event)) {
        const { id: eventId, tenantId, type, generation: eventGeneration, revision } = event;
        const place = isOrdered(destination) ? places.get(eventId) : undefined;
        const heldUntilMs = quietUntilMs(destination, event, timeOfDayMs);
        const line = this.lines.of(destination);
        const isDue = place === undefined && heldUntilMs === undefined;
        const reserved = isDue && this.dispatcher.hasRoom && line.reserve(nowMs);
        const to = {
          destinationId: destination.id,
          reserved,
          ...(place && { place }),
          ...(heldUntilMs && { heldUntilMs }),
        };
        planned.push({ eventId, tenantId, type, eventGeneration, revision, ...to });
      }
    }
    return planned;
  }

  keepsOrder(tenantId: string): boolean {
    return this.orderedTenants.has(tenantId);
  }

  private async placesOf(events: readonly DispatchedEvent[]): Promise<ReadonlyMap<string, OrderPlace>> {
    if (this.orderedTenants.size === 0) return NO_PLACES;
    const ids = events.filter(({ tenantId }) => this.keepsOrder(tenantId)).map(({ id }) => id);
    return ids.length === 0 ? NO_PLACES : readPlaces(this.pool, ids);
  }

  newLease(): DeliveryLease {
    return { token: randomUUID(), seconds: this.leaseSeconds, sinceMs: elapsedMs() };
  }

  /**
   * After the commit: starts what is leased, remembers what is queued, and gives back the places of the rest.
   * @param unparked ordered destinations that have one more delivery to be sent
   */
  recorded(
    planned: readonly PlannedDelivery[],
    recorded: readonly RecordedDelivery[],
    events: ReadonlyMap<string, DispatchedEvent>,
    lease: DeliveryLease,
    unparked: readonly string[] = [],
  ): void {
    const nowMs = performance.now();
    const byKey = new Map(recorded.map((one) => [keyOf(one), one]));
    for (const one of planned) {
      const line = this.lines.get(one.destinationId);
      const row = byKey.get(keyOf(one));
      const event = events.get(one.eventId);
      if (!line) continue;
      if (row?.outcome === 'leased' && event) {
        const delivery = firstTry(row, event, lease);
        this.dispatcher.hold(delivery);
        this.dispatcher.start(line, delivery);
      } else if (one.reserved) line.giveBack(nowMs);
      if (row?.outcome === 'queued') line.note(waitMsOf(one), nowMs);
      this.claims.wake(line);
    }
    for (const id of unparked) {
      const line = this.lines.get(id);
      if (!line) continue; // a sweep finds it
      line.note(0, nowMs);
      this.claims.wake(line);
    }
  }

  /** After a rollback. */
  abandoned(planned: readonly PlannedDelivery[]): void {
    const nowMs = performance.now();
    for (const { destinationId, reserved } of planned) {
      const line = this.lines.get(destinationId);
      if (!line || !reserved) continue;
      line.giveBack(nowMs);
      this.claims.wake(line);
    }
  }

  private async stopAll(): Promise<void> {
    await this.loops.stop();
    await this.claims.stop();
    await this.dispatcher.stop();
    await this.loops.finish();
  }
}

/** How long a delivery is held from now on. */
const waitMsOf = ({ heldUntilMs }: PlannedDelivery): number =>
  heldUntilMs === undefined ? 0 : Math.max(0, heldUntilMs - timeOfDayMs());

const isOrdered = ({ ordering }: SealedDestination): boolean => ordering === 'key';

const keyOf = ({ eventId, destinationId }: { eventId: string; destinationId: string }): string =>
  `${eventId} ${destinationId}`;

function firstTry(
  { eventId, destinationId, generation }: RecordedDelivery,
  event: DispatchedEvent,
  lease: DeliveryLease,
): TimedDelivery {
  const sent: SentEvent = event;
  return {
    eventId,
    destinationId,
    generation,
    lease: lease.token,
    attempts: 0,
    tries: 0,
    ageSeconds: 0,
    probes: false,
    event: sent,
    leasedAtMs: lease.sinceMs,
    leaseEndsMs: lease.sinceMs + lease.seconds * 1_000,
  };
}
