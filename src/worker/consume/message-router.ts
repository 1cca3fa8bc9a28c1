import type { Pool } from 'pg';
import { readProgress } from '../../event-state/open-attempts.queries';
import { countStarts } from '../crashes/crash-counts.queries';
import type { ExternalHandlers } from '../run/external-handlers';
import { eventsOf, type WorkItem } from '../work-item';

export interface Routes {
  /** To be settled together, at once. */
  now: WorkItem[];
  /** Redelivered, and perhaps the reason why a worker died: each is settled by itself. */
  alone: WorkItem[];
  /** To be settled when their external handlers have run. */
  external: WorkItem[];
}

/**
 * Decides how each message of a batch is processed. Fresh messages without external work, which are nearly all, cost no
 * query here. Stale dispatches and events that have succeeded go to `now`: settling finds that there is nothing to do.
 */
export class MessageRouter {
  constructor(
    private readonly pool: Pool,
    private readonly externals: ExternalHandlers,
  ) {}

  /** @throws when PostgreSQL cannot be reached; nothing was begun then. */
  async route(items: readonly WorkItem[]): Promise<Routes> {
    const selection = await this.externals.select(eventsOf(items));
    const toAsk = items.filter(({ message, event }) => message.redelivered || selection.has(event));
    const progressOf = toAsk.length > 0 ? await readProgress(this.pool, eventsOf(toAsk)) : undefined;
    const routes: Routes = { now: [], alone: [], external: [] };
    for (const item of items) {
      const { redelivered } = item.message;
      const progress = progressOf?.get(item.event);
      const handlers = selection.get(item.event);
      if (!progress?.current) routes.now.push(item);
      else if (handlers) {
        const startCounted = redelivered || progress.starts !== null;
        routes.external.push({ ...item, handlers, progress, startCounted });
      } else routes.alone.push(item);
    }
    await this.markRedelivered(routes.external);
    return routes;
  }

  /**
   * External calls are slow, so an event that comes back for the first time still runs beside others and is only marked.
   * If a worker dies with it again, it runs alone.
   */
  private async markRedelivered(items: readonly WorkItem[]): Promise<void> {
    const first = items.filter(({ message, progress }) => message.redelivered && progress?.starts === null);
    if (first.length === 0) return;
    await countStarts(this.pool, [...new Set(first.map(({ event }) => event.id))], false);
  }
}
