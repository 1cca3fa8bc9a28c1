import type { DeliveryLease, PlannedDelivery, RecordedDelivery } from '../../delivery-state/delivery';
import { turnSettled } from '../../delivery-state/order/turn-keys';
import { recordDeliveries } from '../../delivery-state/record-deliveries.queries';
import { withPlansByIndex } from '../../delivery-state/plans-by-index.queries';
import type { Db } from '../../db/pool';
import { giveUpTurns, handOnTurns } from '../../event-state/order/key-turns.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { elapsedMs } from '../../event/elapsed-time';
import { eventsOf, type WorkItem } from '../work-item';

/** Takes over the deliveries of completed events. See Deliveries in src/deliveries. */
export interface DeliveryTaker {
  plan(events: readonly DispatchedEvent[]): Promise<readonly PlannedDelivery[]>;
  /** Whether the tenant has a destination that gets its events in order, as far as `plan` has just read. */
  keepsOrder(tenantId: string): boolean;
  newLease(): DeliveryLease;
  recorded(
    planned: readonly PlannedDelivery[],
    recorded: readonly RecordedDelivery[],
    events: ReadonlyMap<string, DispatchedEvent>,
    lease: DeliveryLease,
    unparked: readonly string[],
  ): void;
  abandoned(planned: readonly PlannedDelivery[]): void;
  /** Ends or releases what it has taken over. */
  stop(): Promise<void>;
}

/**
 * The deliveries of one settle transaction, and the order of the keys of its events. Call `committed` or `abandoned` once it has ended. An event may turn out not
 * to be completed; what was planned for it is given back then.
 */
export class PassDeliveries {
  private rows: readonly RecordedDelivery[] = [];
  /** Ordered destinations that have one more delivery to be sent. */
  private unparked: readonly string[] = [];
  /** Events that were dispatched because it is their turn. */
  dispatched = 0;
  private lease: DeliveryLease;

  private constructor(
    private readonly taker: DeliveryTaker,
    private readonly planned: readonly PlannedDelivery[],
    /** Events that later ones of their keys may wait for. */
    private readonly ordered: readonly string[],
  ) {
    this.lease = taker.newLease();
  }

  /**
   * Plans before the transaction, so that no connection waits for it. Returns undefined if nothing is to be delivered and no
   * key has an order.
   *
   * @param isTaken whether a handler takes events of a type in order
   */
  static async plan(
    taker: DeliveryTaker,
    items: readonly WorkItem[],
    isTaken: (type: string) => boolean,
  ): Promise<PassDeliveries | undefined> {
    const planned = await taker.plan(eventsOf(items.filter(({ unfinished }) => unfinished.size === 0)));
    const ordered = eventsOf(items)
      .filter(({ tenantId, type }) => taker.keepsOrder(tenantId) || isTaken(type))
      .map(({ id }) => id);
    return planned.length + ordered.length === 0 ? undefined : new PassDeliveries(taker, planned, ordered);
  }

  /** Returns false if another transaction recorded one of them meanwhile. Then this one must be rolled back. */
  async record(
    db: Db,
    completed: readonly WorkItem[],
    deadLetters: readonly { event: DispatchedEvent }[],
  ): Promise<boolean> {
    const ids = new Set(completed.map(({ event }) => event.id));
    const due = this.planned.filter(({ eventId }) => ids.has(eventId));
    this.lease = { ...this.lease, sinceMs: elapsedMs() };
    this.rows = await recordDeliveries(db, due, this.lease);
    if (this.rows.length < due.length) return false;
    const done = this.ordered.filter((id) => ids.has(id));
    const dead = new Set(deadLetters.map(({ event }) => event.id));
    await this.moveOn(
      db,
      done,
      this.ordered.filter((id) => dead.has(id)),
      due,
    );
    return true;
  }

  private async moveOn(
    db: Db,
    done: readonly string[],
    dead: readonly string[],
    due: readonly PlannedDelivery[],
  ): Promise<void> {
    if (done.length + dead.length === 0) return;
    const gaveUp = dead.length > 0 ? await giveUpTurns(db, dead) : [];
    const { unparked, ofHandlers } = await turnSettled(db, done, gaveUp, due, this.rows);
    this.unparked = unparked;
    if (ofHandlers.length > 0) this.dispatched = await withPlansByIndex(db, () => handOnTurns(db, ofHandlers));
  }

  committed(items: readonly WorkItem[]): void {
    const recorded = new Set(this.rows.map(({ eventId }) => eventId));
    const events = new Map(items.flatMap(({ event }) => (recorded.has(event.id) ? [[event.id, event] as const] : [])));
    this.taker.recorded(this.planned, this.rows, events, this.lease, this.unparked);
  }

  abandoned(): void {
    this.taker.abandoned(this.planned);
  }
}
