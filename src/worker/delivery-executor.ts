import { hostname } from 'node:os';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool, type PoolClient } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { appendDeadLetterEntry } from '../db/append-entry.queries';
import { classifyPgError } from '../db/pg-errors';
import { inTransaction } from '../db/pool';
import { Metrics } from '../observability/metrics';
import {
  completeStates,
  readStates,
  recordDeadLetter,
  recordFailure,
  recordSuccesses,
  scheduleRetry,
  type EventState,
  type FailedAttempt,
} from './attempts.queries';
import { HANDLERS, takesType, type DeliveredEvent, type TransactionalHandler } from './handler';
import { decideAfterFailure } from './retry-policy';

const MAX_MESSAGE_LENGTH = 1_000;

/** Carries a batch of delivered events to a committed outcome each: attempts, effects, retries and dead letters. */
@Injectable()
export class DeliveryExecutor {
  private readonly logger = new Logger('Worker');
  private readonly worker = `${hostname()}:${process.pid}`;

  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(Pool) private readonly pool: Pool,
    @Inject(HANDLERS) private readonly handlers: readonly TransactionalHandler[],
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  /**
   * When this resolves, the outcome of every event is committed and its delivery may be acked (I5). When it throws,
   * PostgreSQL could not be reached and nothing was decided; that is no attempt of the events.
   */
  async settle(events: readonly DeliveredEvent[], repeats = 1): Promise<void> {
    const startedMs = Date.now();
    try {
      await this.settleTogether(events, startedMs);
    } catch (error) {
      const byHandler = error instanceof HandlerFailure;
      if (!byHandler && classifyPgError(error) === 'unavailable') throw error;
      const cause = byHandler ? error.cause : error;
      // One poison event costs its neighbours a second try, not their outcome (I10).
      const [only] = events;
      if (events.length > 1) for (const event of events) await this.settle([event]);
      else if (only && repeats > 0 && classifyPgError(cause) === 'transient') await this.settle(events, repeats - 1);
      else if (only) await this.fail(only, cause, Date.now() - startedMs);
    }
  }

  private async settleTogether(events: readonly DeliveredEvent[], startedMs: number): Promise<void> {
    const completed = await inTransaction(this.pool, async (db) => {
      const states = await readStates(
        db,
        events.map(({ id }) => id),
      );
      const current = events.filter((event) => !isStale(event, states.get(event.id)));
      if (current.length === 0) return [];
      const durationMs = Date.now() - startedMs;
      const attempts = current.map((event) => ({
        event,
        attemptNumber: (states.get(event.id)?.attempts ?? 0) + 1,
        durationMs,
      }));
      const first = await recordSuccesses(db, attempts, this.worker);
      const toHandle = current.filter(({ id }) => first.delete(id)); // delete: one event may be twice in a batch
      await this.runHandlers(db, toHandle);
      const withState = toHandle.filter(({ id }) => states.has(id)).map(({ id }) => id);
      if (withState.length > 0) await completeStates(db, withState);
      return toHandle;
    });
    this.metrics.workerAttempts.inc({ status: 'SUCCESS', reason_code: 'PROCESSED' }, completed.length);
    const nowMs = Date.now();
    for (const { receivedAt } of completed) this.metrics.endToEnd.observe((nowMs - Date.parse(receivedAt)) / 1000);
  }

  private async runHandlers(db: PoolClient, events: readonly DeliveredEvent[]): Promise<void> {
    for (const handler of this.handlers) {
      const matching = events.filter(({ type }) => takesType(handler, type));
      if (matching.length === 0) continue;
      try {
        await handler.handle(matching, { db, signal: new AbortController().signal });
      } catch (cause) {
        throw (await answers(db)) ? new HandlerFailure(handler.name, { cause }) : cause;
      }
    }
  }

  private async fail(event: DeliveredEvent, error: unknown, durationMs: number): Promise<void> {
    const errorMessage = storable(String(error instanceof Error ? error.message : error));
    await inTransaction(this.pool, async (db) => {
      const state = (await readStates(db, [event.id])).get(event.id);
      if (isStale(event, state)) return;
      const attemptNumber = (state?.attempts ?? 0) + 1;
      const decision = decideAfterFailure(attemptNumber, this.settings, Math.random());
      const status = decision.kind === 'retry' ? 'RETRY' : 'DLQ';
      const { reasonCode } = decision;
      const failed: FailedAttempt = {
        event,
        attemptNumber,
        status,
        reasonCode,
        errorMessage,
        durationMs,
        worker: this.worker,
      };
      if (!(await recordFailure(db, failed))) return;
      if (decision.kind === 'retry') await scheduleRetry(db, event, decision.delayMs);
      else await this.deadLetter(db, failed);
      this.metrics.workerAttempts.inc({ status, reason_code: reasonCode });
      this.metrics[decision.kind === 'retry' ? 'workerRetry' : 'workerDlq'].inc();
      this.logger.warn({ msg: 'attempt failed', eventId: event.id, attemptNumber, ...decision, errorMessage });
    });
  }

  private async deadLetter(db: PoolClient, failed: FailedAttempt): Promise<void> {
    const { id: eventId, dispatchNo, generation } = failed.event;
    await recordDeadLetter(db, failed);
    await appendDeadLetterEntry(db, { eventId, dispatchNo: dispatchNo + 1, generation });
  }
}

/** What a handler threw while PostgreSQL was there: the handler's failure, whatever code it carries. */
class HandlerFailure extends Error {}

async function answers(db: PoolClient): Promise<boolean> {
  try {
    await db.query('select');
    return true;
  } catch (error) {
    return classifyPgError(error) !== 'unavailable'; // "transaction is aborted" is an answer
  }
}

function storable(message: string): string {
  return message.slice(0, MAX_MESSAGE_LENGTH).replaceAll('\0', ' ');
}

/** I11: a newer dispatch is on its way, or this one was settled and its ack got lost. */
function isStale(event: DeliveredEvent, state: EventState | undefined): boolean {
  return state !== undefined && (state.dispatchNo > event.dispatchNo || state.status !== 'DISPATCHED');
}
