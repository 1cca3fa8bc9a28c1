import type { Pool, PoolClient } from 'pg';
import { HistoryChanged, readHistory } from '../db/history/history.queries';
import { inTransaction } from '../db/pool';
import { lockKeys } from '../delivery-state/order/ordered-keys.queries';
import { withPlansByIndex } from '../delivery-state/plans-by-index.queries';
import { assignTurns, parkEvents, readTurns } from '../event-state/order/key-turns.queries';
import { Loop } from '../runtime/loop';
import { isTakenInOrder, type Handler } from './handler';
import { announceHandlers, type OrderedHandler } from './ordered-handlers.queries';
import { areOf, eventsOf, newestOfEach, type WorkItem } from './work-item';

const ANNOUNCE_EVERY_MS = 600_000;
const NONE: ReadonlySet<string> = new Set();

export interface Turns {
  may: readonly WorkItem[];
  parked: WorkItem[];
}

/**
 * Lets the events of ordered handlers run one at a time per key (docs/ordering.md). An event runs if it has the turn of its
 * key. One that has not is parked in PostgreSQL, and whoever settles the one before dispatches it. Events of other types
 * cost nothing.
 */
export class KeyTurns {
  private readonly handlers: readonly (OrderedHandler & { ordering: 'key' })[];
  private readonly announcing: Loop;

  constructor(
    private readonly pool: Pool,
    handlers: readonly Handler[],
  ) {
    this.handlers = handlers
      .filter(({ ordering }) => ordering === 'key')
      .map(({ name, eventTypes, onPoison = 'block' }) => ({ name, eventTypes, onPoison, ordering: 'key' }));
    this.announcing = new Loop('Ordered handlers', () => this.announce());
  }

  start(): void {
    this.announcing.start();
  }

  stop(): Promise<void> {
    return this.announcing.stop();
  }

  /**
   * Tells which items may run. The others are parked when this resolves, and their messages may be acked.
   * @throws HistoryChanged if the database may have forgotten events that a handler takes in order
   */
  async take(items: readonly WorkItem[]): Promise<Turns> {
    const ordered = items.filter(({ event }) => isTakenInOrder(this.handlers, event.type));
    if (ordered.length === 0) return { may: items, parked: [] };
    const parked = await inTransaction(this.pool, (db) => this.park(db, ordered));
    const isParked = ({ event }: WorkItem): boolean => parked.has(event.id);
    return { may: items.filter((item) => !isParked(item)), parked: items.filter(isParked) };
  }

  /** Returns the ids of the events that it parks. */
  private async park(db: PoolClient, items: readonly WorkItem[]): Promise<ReadonlySet<string>> {
    const ids = [...new Set(eventsOf(items).map(({ id }) => id))];
    if (!areOf(await readHistory(db), items)) throw new HistoryChanged();
    const waiting = (await readTurns(db, ids)).filter(({ hasTurn }) => !hasTurn);
    if (waiting.length === 0) return NONE;
    // From here on, no other transaction gives a turn of these keys.
    await lockKeys(db, waiting);
    await withPlansByIndex(db, () => assignTurns(db, waiting));
    const still = await readTurns(
      db,
      waiting.map(({ eventId }) => eventId),
    );
    const without = new Set(still.filter(({ hasTurn }) => !hasTurn).map(({ eventId }) => eventId));
    const toPark = newestOfEach(items.filter(({ event }) => without.has(event.id)));
    return parkEvents(db, eventsOf(toPark)); // a dispatch that is not current any more may go on: it runs no handler
  }

  private async announce(): Promise<number> {
    await announceHandlers(this.pool, this.handlers);
    return ANNOUNCE_EVERY_MS;
  }
}
