import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import type { EventProgress as Standing } from '../../event-state/open-attempts.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { HANDLERS, handlesType, type ExternalHandler, type Handler, type HandlerResult } from '../handler';
import { spanOfCall } from '../consume/dispatch-spans';
import { within } from './handler-call';
import { Lane } from './lane';
import { classifyError } from '../settle/retry-policy';
import type { Findings } from '../settle/settlement';

/** Which external handlers have work for which events. */
export type Selection = ReadonlyMap<DispatchedEvent, readonly ExternalHandler[]>;

/** What an aborted call tells of is not the event's doing. */
class Stopped extends Error {}

/**
 * Runs external handlers outside all transactions, in lanes of bounded width. A call that finds its lane full postpones
 * its event, so that no tenant can hold the prefetch (I10).
 */
@Injectable()
export class ExternalHandlers {
  private readonly logger = new Logger('Worker');
  private readonly handlers: readonly ExternalHandler[];
  private readonly lanes: ReadonlyMap<string, Lane>;
  private readonly shutdown = new AbortController();
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(HANDLERS) handlers: readonly Handler[],
  ) {
    this.handlers = handlers.filter((handler) => handler.kind === 'external');
    const { WORKER_HANDLER_CONCURRENCY: running, WORKER_TENANT_CONCURRENCY: tenantRunning } = settings;
    const limits = { running, tenantRunning, waiting: 2 * running, tenantWaiting: 4 * tenantRunning };
    this.lanes = new Map(this.handlers.map(({ name }) => [name, new Lane(limits)]));
  }

  /** Asks each handler once a batch. One that throws gets all events of its types; its calls will tell what is wrong. */
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

  /** Runs what is missing of an event. Undefined when it was stopped by the shutdown; then the event goes back. */
  async run(
    event: DispatchedEvent,
    handlers: readonly ExternalHandler[],
    standing: Pick<Standing, 'attempts' | 'done' | 'starts'>,
  ): Promise<Findings | undefined> {
    const startedMs = Date.now();
    const done = new Set(standing.done);
    const missing = handlers.filter(({ name }) => !done.has(name));
    const call = { attemptNumber: standing.attempts + 1, done };
    const running = Promise.all(missing.map((handler) => this.runInLane(handler, event, call)));
    this.running.add(running);
    try {
      const results = await running;
      const named = results.map((result, i) => ({ name: (missing[i] as ExternalHandler).name, result }));
      return {
        done: named.filter(({ result }) => result.kind === 'done').map(({ name }) => name),
        unfinished: new Map(named.flatMap(({ name, result }) => (result.kind === 'done' ? [] : [[name, result]]))),
        durationMs: Date.now() - startedMs,
        onTrial: standing.starts !== null,
      };
    } catch (error) {
      if (error instanceof Stopped) return undefined;
      throw error;
    } finally {
      this.running.delete(running);
    }
  }

  /** I15: nothing begins any more; calls under way get half of the grace and are aborted then. */
  async stop(): Promise<void> {
    for (const lane of this.lanes.values()) lane.close();
    const over = new AbortController();
    const ended = Promise.allSettled(this.running).finally(() => over.abort());
    const late = sleep(this.settings.SHUTDOWN_GRACE_MS / 2, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([ended, late]);
    this.shutdown.abort(new Stopped('the worker shuts down'));
    await ended;
  }

  private async runInLane(
    handler: ExternalHandler,
    event: DispatchedEvent,
    call: { attemptNumber: number; done: ReadonlySet<string> },
  ): Promise<HandlerResult> {
    const lane = this.lanes.get(handler.name) as Lane;
    const entry = await lane.enter(event.tenantId);
    if (entry === 'full') {
      const message = `too many events wait for ${handler.name}`;
      const afterMs = lane.paceMs(event.tenantId, Date.now());
      return { kind: 'postpone', reasonCode: 'CONCURRENCY_LIMIT', message, afterMs };
    }
    if (entry === 'closed') throw new Stopped();
    const startedMs = Date.now();
    try {
      return await this.call(handler, event, call);
    } finally {
      lane.leave(event.tenantId, Date.now() - startedMs);
    }
  }

  /** A call that neither ends nor heeds its signal is left alone, at its timeout or at the shutdown. */
  private async call(
    handler: ExternalHandler,
    event: DispatchedEvent,
    call: { attemptNumber: number; done: ReadonlySet<string> },
  ): Promise<HandlerResult> {
    const aborter = new AbortController();
    const stopped = new Promise<never>((_, reject) => {
      const stop = (): void => {
        aborter.abort(this.shutdown.signal.reason);
        reject(this.shutdown.signal.reason as Stopped);
      };
      if (this.shutdown.signal.aborted) stop();
      else this.shutdown.signal.addEventListener('abort', stop, { signal: aborter.signal });
    });
    try {
      const options = { ...call, signal: aborter.signal };
      const work = spanOfCall(event, handler.name, (traced) => handler.handle(traced, options));
      return await within(handler.timeoutMs, aborter, Promise.race([work, stopped]));
    } catch (error) {
      if (this.shutdown.signal.aborted) throw error instanceof Stopped ? error : new Stopped();
      return classifyError(error);
    } finally {
      aborter.abort(); // takes the listener off
    }
  }
}
