import { randomInt } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Pool, PoolClient } from 'pg';
import type { Settings } from '../../config/settings';
import { readHistory } from '../../db/history/history.queries';
import { inTransaction } from '../../db/pool';
import { forgetOrderedEvents } from '../../delivery-state/order/ordered-events.queries';
import { turnKeys } from '../../delivery-state/order/turn-keys';
import { recordDeliveries } from '../../delivery-state/record-deliveries.queries';
import { completeDispatchesOfSucceeded, completeStates } from '../../event-state/complete.queries';
import { readCurrentDispatches, readDispatchStates } from '../../event-state/current-dispatches.queries';
import { openAttempts, readEffects, readProgress, readStates } from '../../event-state/open-attempts.queries';
import { handOnTurns } from '../../event-state/order/key-turns.queries';
import { settleFailures } from '../../event-state/settle-failures';
import type { Failure, RetryDecision } from '../../event-state/settle-failures.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import { timeOfDay } from '../../event/time-of-day';
import { uuidV7 } from '../../event/uuid-v7';
import { readRevisions } from '../../revisions/revisions.queries';
import { clearStarts, countStart, markStarts } from '../crashes/crash-counts.queries';
import type { Handler, TransactionalHandler } from '../handler';
import type { DeliveryTaker } from './pass-deliveries';

/** Nobody waits for a key that others have only by accident. */
const MOST_RANDOM = 2 ** 47;

const OWN = { reasonCode: 'HANDLER_ERROR', message: 'made up' } as const;
const DECISIONS: readonly RetryDecision[] = [
  { ...OWN, kind: 'retry', delayMs: 0 },
  { ...OWN, kind: 'postpone', delayMs: 0 },
  { ...OWN, kind: 'dead-letter', exhausted: true },
];

/**
 * Tells whose fault it is that a table is missing, a right, or the permission to write. Such a failure is ours while a
 * database is restored or its grants are changed, and then events wait and use no attempt. But one event can cause it too,
 * by what a handler has done in the transaction or a trigger does: that event must not hold up all others for ever. So
 * the statements with which a worker reads and settles events are run for events that do not exist, in a transaction that
 * is rolled back. They use tables and rights just as for real events.
 */
export class OwnStatements {
  private readonly logger = new Logger('Worker');
  private readonly builtIn: readonly TransactionalHandler[];

  constructor(
    private readonly settings: Pick<Settings, 'DLQ_COPY'>,
    private readonly pool: Pool,
    handlers: readonly Handler[],
    private readonly deliveries: Pick<DeliveryTaker, 'plan'>,
  ) {
    this.builtIn = handlers.filter((handler) => handler.kind === 'transactional').filter(({ isBuiltIn }) => isBuiltIn);
  }

  /** Returns false if PostgreSQL refuses one of them, or cannot be reached. Never rejects. */
  async succeed(): Promise<boolean> {
    try {
      await this.deliveries.plan([]); // reads the destinations
      await inTransaction(
        this.pool,
        (db) => this.runAll(db),
        () => false,
      );
      return true;
    } catch (error) {
      this.logger.debug(`a statement of the worker fails whatever the event: ${String(error)}`);
      return false;
    }
  }

  private async runAll(db: PoolClient): Promise<void> {
    const completed = madeUpEvent();
    const failures = DECISIONS.map((decision): Failure => {
      return { event: madeUpEvent(), attemptNumber: 1, decision, durationMs: 0, done: ['made up'] };
    });
    const all = [completed, ...failures.map(({ event }) => event)];
    await readAll(db, all);
    await markStarts(db, [completed.id]);
    await countStart(db, completed.id, 1);
    await openAttempts(db, all, { durationMs: 0, worker: 'made up' });
    for (const handler of this.builtIn) await handler.handle([completed], { db, signal: new AbortController().signal });
    await settleFailures(db, failures, [completed], { deadLetterCopies: this.settings.DLQ_COPY });
    await completeStates(db, [completed]);
    await completeDispatchesOfSucceeded(db, [completed]);
    await clearStarts(db, [completed.id]);
    await recordDeliveryOf(db, completed);
  }
}

async function readAll(db: PoolClient, events: readonly DispatchedEvent[]): Promise<void> {
  const ids = events.map(({ id }) => id);
  await readHistory(db);
  await readDispatchStates(db, ids);
  await readCurrentDispatches(db, ids);
  await readRevisions(
    db,
    ids.map((eventId) => ({ eventId, revision: 2 })),
  );
  await readProgress(db, events);
  await readStates(db, events);
  await readEffects(db, events);
}

async function recordDeliveryOf(db: PoolClient, { id, tenantId, type }: DispatchedEvent): Promise<void> {
  const planned = { eventId: id, destinationId: id, tenantId, type, eventGeneration: 1, reserved: false };
  await recordDeliveries(db, [planned], { token: id, seconds: 0 });
  await forgetOrderedEvents(db, [id]);
  const keys = [{ tenantId, orderKey: String(randomInt(MOST_RANDOM)) }];
  await turnKeys(db, keys);
  await handOnTurns(db, keys);
}

/** Its id and type are its own, so that it waits for nobody. */
function madeUpEvent(): DispatchedEvent {
  const id = uuidV7();
  const receivedAt = timeOfDay().toISOString();
  const counts = { sizeBytes: 0, dispatchNo: 1, generation: 1 };
  return { id, tenantId: 'streamforge', type: id, receivedAt, correlationId: id, ...counts, body: Buffer.from('{}') };
}
