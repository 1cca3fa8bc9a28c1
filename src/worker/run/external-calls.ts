import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../../config/settings';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { spanOfCall } from '../../observability/spans';
import { shutdownPhases } from '../../runtime/shutdown-phases';
import type { ExternalCall, ExternalHandler, HandlerResult } from '../handler';
import { classifyError } from '../settle/retry-policy';
import { withinTimeout } from './handler-timeout';
import { Lane } from './lane';

/** Thrown when the shutdown prevents or aborts a call. Such a call is no attempt. */
export class Stopped extends Error {}

/** Calls external handlers with bounded concurrency (lanes) and within their timeouts. */
export class ExternalCalls {
  private readonly lanes: ReadonlyMap<string, Lane>;
  private readonly shutdown = new AbortController();
  private readonly running = new Set<Promise<unknown>>();

  constructor(
    private readonly settings: Settings,
    handlers: readonly ExternalHandler[],
  ) {
    const { WORKER_HANDLER_CONCURRENCY: running, WORKER_TENANT_CONCURRENCY: tenantRunning } = settings;
    const limits = { running, tenantRunning, waiting: 2 * running, tenantWaiting: 4 * tenantRunning };
    this.lanes = new Map(handlers.map(({ name }) => [name, new Lane(limits)]));
  }

  /**
   * Calls a handler for one event. Returns its result, or a postponement if its lane is full, so that no tenant can
   * hold the whole prefetch (I10).
   * @throws Stopped
   */
  async call(
    handler: ExternalHandler,
    event: DispatchedEvent,
    call: Omit<ExternalCall, 'signal'>,
  ): Promise<HandlerResult> {
    const running = this.callInLane(handler, event, call);
    this.running.add(running);
    return running.finally(() => this.running.delete(running));
  }

  /** I15: starts no more calls, and aborts running calls after half of the grace period. */
  async stop(): Promise<void> {
    for (const lane of this.lanes.values()) lane.close();
    const over = new AbortController();
    const ended = Promise.allSettled(this.running).finally(() => over.abort());
    const { finishMs } = shutdownPhases(this.settings);
    const late = sleep(finishMs, undefined, { signal: over.signal }).catch(() => undefined);
    await Promise.race([ended, late]);
    this.shutdown.abort(new Stopped('the worker is shutting down'));
    await ended;
  }

  private async callInLane(
    handler: ExternalHandler,
    event: DispatchedEvent,
    call: Omit<ExternalCall, 'signal'>,
  ): Promise<HandlerResult> {
    const lane = this.lanes.get(handler.name) as Lane;
    const entry = await lane.enter(event.tenantId);
    if (entry === 'full') {
      const message = `too many events are waiting for ${handler.name}`;
      const afterMs = lane.paceMs(event.tenantId, performance.now());
      return { kind: 'postpone', reasonCode: 'CONCURRENCY_LIMIT', message, afterMs };
    }
    if (entry === 'closed') throw new Stopped();
    const startedMs = performance.now();
    try {
      return await this.callWithTimeout(handler, event, call);
    } finally {
      lane.leave(event.tenantId, performance.now() - startedMs);
    }
  }

  /** Stops waiting for a call that ignores its signal, at its timeout or at the shutdown. */
  private async callWithTimeout(
    handler: ExternalHandler,
    event: DispatchedEvent,
    call: Omit<ExternalCall, 'signal'>,
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
      return await withinTimeout(handler.timeoutMs, aborter, Promise.race([work, stopped]));
    } catch (error) {
      if (this.shutdown.signal.aborted) throw error instanceof Stopped ? error : new Stopped();
      return classifyError(error);
    } finally {
      aborter.abort(); // removes the listener
    }
  }
}
