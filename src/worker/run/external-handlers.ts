import { Logger } from '@nestjs/common';
import type { Settings } from '../../config/settings';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { PoisonDetector } from '../crashes/poison-detector';
import { handlesType, type ExternalHandler, type Handler } from '../handler';
import { postponeTenant } from '../settle/retry-policy';
import { WORKER, withResult, type WorkItem } from '../work-item';
import { ExternalCalls, Stopped } from './external-calls';

/** The external handlers that have work for each event. */
export type Selection = ReadonlyMap<DispatchedEvent, readonly ExternalHandler[]>;

/** Bounds the events that wait to run alone, because each holds a prefetch slot. */
const MOST_WAITING_ALONE = 16;

/**
 * Runs the external handlers of events outside of all transactions. Events run side by side, except for those with
 * which a worker died more than once. These run one after the other.
 */
export class ExternalHandlers {
  private readonly logger = new Logger('Worker');
  private readonly handlers: readonly ExternalHandler[];
  private readonly calls: ExternalCalls;
  /** Settles when the last event that waits to run alone has run. */
  private alone: Promise<unknown> = Promise.resolve();
  private waitingAlone = 0;

  constructor(
    settings: Settings,
    handlers: readonly Handler[],
    private readonly poison: PoisonDetector,
  ) {
    this.handlers = handlers.filter((handler) => handler.kind === 'external');
    this.calls = new ExternalCalls(settings, this.handlers);
  }

  /** Asks each handler once per batch. If a handler throws, it gets all events of its types, and its calls may fail. */
  async select(events: readonly DispatchedEvent[]): Promise<Selection> {
    const selection = new Map<DispatchedEvent, ExternalHandler[]>();
    for (const handler of this.handlers) {
      const matching = events.filter(({ type }) => handlesType(handler, type));
      if (matching.length === 0) continue;
      for (const event of await this.selectedBy(handler, matching)) {
        const handlers = selection.get(event);
        if (handlers) handlers.push(handler);
        else selection.set(event, [handler]);
      }
    }
    return selection;
  }

  private async selectedBy(
    handler: ExternalHandler,
    matching: readonly DispatchedEvent[],
  ): Promise<readonly DispatchedEvent[]> {
    if (!handler.select) return matching;
    try {
      return await handler.select(matching);
    } catch (error) {
      this.logger.warn({ msg: `${handler.name} could not select its events`, err: error });
      return matching;
    }
  }

  /** Runs the handlers that earlier attempts have not finished. Returns undefined if the shutdown stopped them. */
  async run(item: WorkItem): Promise<WorkItem | undefined> {
    const diedBefore = item.message.redelivered && (item.progress?.starts ?? null) !== null;
    if (!diedBefore) return this.runHandlers(item);
    if (this.waitingAlone >= MOST_WAITING_ALONE) {
      return withResult(item, WORKER, postponeTenant(item.event.dispatchNo, Math.random()));
    }
    this.waitingAlone += 1;
    const turn = this.alone.then(() => this.runAlone(item));
    this.alone = turn.catch(() => undefined);
    return turn.finally(() => (this.waitingAlone -= 1));
  }

  /** I15 */
  stop(): Promise<void> {
    return this.calls.stop();
  }

  private async runAlone(item: WorkItem): Promise<WorkItem | undefined> {
    const begun = await this.poison.begin(item);
    if (begun.unfinished.has(WORKER)) return begun;
    let ran: WorkItem | undefined;
    try {
      ran = await this.runHandlers(begun);
    } finally {
      if (!ran) await this.poison.withdraw([begun]); // the caller knows only the item of before
    }
    return ran;
  }

  private async runHandlers(item: WorkItem): Promise<WorkItem | undefined> {
    const startedMs = performance.now();
    const before = new Set(item.progress?.done);
    const missing = item.handlers.filter(({ name }) => !before.has(name));
    const call = { attemptNumber: (item.progress?.attempts ?? 0) + 1, done: before };
    try {
      const results = await Promise.all(
        missing.map(async (handler) => ({ handler, result: await this.calls.call(handler, item.event, call) })),
      );
      const done = results.filter(({ result }) => result.kind === 'done').map(({ handler }) => handler.name);
      const ran = results.reduce(
        (so, { handler, result }) => (result.kind === 'done' ? so : withResult(so, handler.name, result)),
        item,
      );
      return { ...ran, done, externalMs: performance.now() - startedMs };
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    }
  }
}
