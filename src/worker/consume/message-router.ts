import type { Pool } from 'pg';
import { HistoryChanged, readHistory } from '../../db/history/history.queries';
import { onOneConnection } from '../../db/pool';
import { readProgress, type EventProgress } from '../../event-state/open-attempts.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { markStarts } from '../crashes/crash-counts.queries';
import type { KeyTurns } from '../key-turns';
import type { ExternalHandlers } from '../run/external-handlers';
import { areOf, eventsOf, type WorkItem } from '../work-item';

export interface Routes {
  /** Settled together, at once. */
  now: WorkItem[];
  /** Redelivered events, any of which may have killed a worker. Each is settled by itself. */
  alone: WorkItem[];
  /** Settled after their external handlers have run. */
  external: WorkItem[];
  /** Parked in PostgreSQL until it is their turn. */
  parked: WorkItem[];
}

/**
 * Decides how each message of a batch is processed. Most messages are fresh and have no external work; they cost no
 * query here. Stale dispatches and events that have succeeded go to `now`, where settling finds nothing to do.
 */
export class MessageRouter {
  constructor(
    private readonly pool: Pool,
    private readonly externals: ExternalHandlers,
    private readonly turns: KeyTurns,
  ) {}

  /**
   * @throws if PostgreSQL cannot be reached; HistoryChanged if it may have forgotten events with external work or an order. No handler
   * has run then.
   */
  async route(arrived: readonly WorkItem[]): Promise<Routes> {
    const { may: items, parked } = await this.turns.take(arrived);
    const selection = await this.externals.select(eventsOf(items));
    const toAsk = items.filter(({ message, event }) => message.redelivered || selection.has(event));
    const progressOf = toAsk.length > 0 ? await this.progressOf(toAsk) : undefined;
    const routes: Routes = { now: [], alone: [], external: [], parked };
    for (const item of items) {
      const { redelivered } = item.message;
      const progress = progressOf?.get(item.event);
      const handlers = selection.get(item.event);
      if (!progress?.current) routes.now.push(item);
      else if (handlers) {
        const marked = redelivered || progress.starts !== null;
        routes.external.push({ ...item, handlers, progress, marked });
      } else routes.alone.push(item);
    }
    await this.markRedelivered(routes.external);
    return routes;
  }

  private async progressOf(items: readonly WorkItem[]): Promise<Map<DispatchedEvent, EventProgress>> {
    // On one connection, in one round trip: two connections may lead to two servers, and would be taken from others.
    const [progress, history] = await onOneConnection(this.pool, (db) =>
      Promise.all([readProgress(db, eventsOf(items)), readHistory(db)]),
    );
    if (!areOf(history, items)) throw new HistoryChanged();
    return progress;
  }

  /**
   * Marks events with external work at their first redelivery. Their calls are slow, so they still run beside others.
   * If a worker dies while it holds them again, they run alone.
   */
  private async markRedelivered(items: readonly WorkItem[]): Promise<void> {
    const first = items.filter(({ message, progress }) => message.redelivered && progress?.starts === null);
    if (first.length === 0) return;
    await markStarts(this.pool, [...new Set(first.map(({ event }) => event.id))]);
  }
}
