import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { ReceivedMessage } from '../../broker/broker';
import { readProgress, type EventProgress as Standing } from '../../event-state/open-attempts.queries';
import { countStarts } from '../crashes/crash-counts.queries';
import { ExternalHandlers } from '../run/external-handlers';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { ExternalHandler } from '../handler';

/** A delivery and the event that it brought. */
export interface Work {
  delivery: ReceivedMessage;
  event: DispatchedEvent;
}

export interface ExternalWork extends Work {
  handlers: readonly ExternalHandler[];
  standing: Standing;
}

export interface Routes {
  /** To be settled together, at once. */
  now: Work[];
  /** Redelivered, and perhaps the reason why a worker died: each by itself. */
  alone: Work[];
  /** To be settled when their external handlers have run. */
  external: ExternalWork[];
}

/**
 * Decides how each delivery of a batch is worked off. Fresh deliveries without external work, which is nearly all, cost
 * no query here. What is stale or has succeeded goes the short way too: its settlement finds that there is nothing to do.
 */
@Injectable()
export class MessageRouter {
  constructor(
    private readonly pool: Pool,
    private readonly externals: ExternalHandlers,
  ) {}

  /** @throws when PostgreSQL cannot be reached; nothing was begun then. */
  async route(works: readonly Work[]): Promise<Routes> {
    const selection = await this.externals.select(works.map(({ event }) => event));
    const toAsk = works.filter(({ delivery, event }) => delivery.redelivered || selection.has(event));
    const routes: Routes = { now: [], alone: [], external: [] };
    const standings = toAsk.length > 0 ? await readProgress(this.pool, eventsOf(toAsk)) : undefined;
    for (const work of works) {
      const { delivery, event } = work;
      const standing = standings?.get(event);
      const handlers = selection.get(event);
      if (!standing?.current) routes.now.push(work);
      else if (handlers) routes.external.push({ ...work, handlers, standing });
      else if (delivery.redelivered) routes.alone.push(work);
      else routes.now.push(work);
    }
    await this.mark(routes.external);
    return routes;
  }

  /**
   * External calls are slow, so what comes back for the first time still runs beside others; only it is marked. If a
   * worker dies again with it in hand, it will run alone.
   */
  private async mark(works: readonly ExternalWork[]): Promise<void> {
    const suspects = works.filter(({ delivery, standing }) => delivery.redelivered && standing.starts === null);
    if (suspects.length === 0) return;
    await countStarts(this.pool, [...new Set(suspects.map(({ event }) => event.id))], false);
  }
}

const eventsOf = (works: readonly Work[]): DispatchedEvent[] => works.map(({ event }) => event);
