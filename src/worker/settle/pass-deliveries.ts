import type { DeliveryLease, PlannedDelivery, RecordedDelivery } from '../../delivery-state/delivery';
import { recordDeliveries } from '../../delivery-state/record-deliveries.queries';
import type { Db } from '../../db/pool';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { elapsedMs } from '../../event/elapsed-time';
import { eventsOf, type WorkItem } from '../work-item';

/** Takes over the deliveries of completed events. See Deliveries in src/deliveries. */
export interface DeliveryTaker {
  plan(events: readonly DispatchedEvent[]): Promise<readonly PlannedDelivery[]>;
  newLease(): DeliveryLease;
  recorded(
    planned: readonly PlannedDelivery[],
    recorded: readonly RecordedDelivery[],
    events: ReadonlyMap<string, DispatchedEvent>,
    lease: DeliveryLease,
  ): void;
  abandoned(planned: readonly PlannedDelivery[]): void;
  /** Ends or releases what it has taken over. */
  stop(): Promise<void>;
}

/**
 * The deliveries of one settle transaction. Call `committed` or `abandoned` once it has ended. An event may turn out not
 * to be completed; what was planned for it is given back then.
 */
export class PassDeliveries {
  private rows: readonly RecordedDelivery[] = [];
  private lease: DeliveryLease;

  private constructor(
    private readonly taker: DeliveryTaker,
    private readonly planned: readonly PlannedDelivery[],
  ) {
    this.lease = taker.newLease();
  }

  /** Plans before the transaction, so that no connection waits for it. Returns undefined if nothing is to be delivered. */
  static async plan(taker: DeliveryTaker, items: readonly WorkItem[]): Promise<PassDeliveries | undefined> {
    const planned = await taker.plan(eventsOf(items.filter(({ unfinished }) => unfinished.size === 0)));
    return planned.length === 0 ? undefined : new PassDeliveries(taker, planned);
  }

  /** Returns false if another transaction recorded one of them meanwhile. Then this one must be rolled back. */
  async record(db: Db, completed: readonly WorkItem[]): Promise<boolean> {
    const ids = new Set(completed.map(({ event }) => event.id));
    const due = this.planned.filter(({ eventId }) => ids.has(eventId));
    this.lease = { ...this.lease, sinceMs: elapsedMs() };
    this.rows = await recordDeliveries(db, due, this.lease);
    return this.rows.length === due.length;
  }

  committed(items: readonly WorkItem[]): void {
    const recorded = new Set(this.rows.map(({ eventId }) => eventId));
    const events = new Map(items.flatMap(({ event }) => (recorded.has(event.id) ? [[event.id, event] as const] : [])));
    this.taker.recorded(this.planned, this.rows, events, this.lease);
  }

  abandoned(): void {
    this.taker.abandoned(this.planned);
  }
}
