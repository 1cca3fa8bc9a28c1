import type { Pool } from 'pg';
import { stepReplay } from '../../../src/admin/replays/replay-step';
import { cancelPending, insertReplayEvents } from '../../../src/admin/replays/replay-events.queries';
import { cancelReplay, finishReplay, lockReplay } from '../../../src/admin/replays/replay.queries';
import { inTransaction, type Db } from '../../../src/db/pool';
import { recordDeliveries } from '../../../src/delivery-state/record-deliveries.queries';
import { completeDispatchesOfSucceeded, completeStates } from '../../../src/event-state/complete.queries';
import { discardDeadLetters } from '../../../src/event-state/discard-dead-letters.queries';
import { dispatchDeadLetters } from '../../../src/event-state/dispatch-dead-letters.queries';
import { dispatchDueRetries } from '../../../src/event-state/dispatch-due-retries.queries';
import { dispatchLost } from '../../../src/event-state/dispatch-lost.queries';
import { dispatchReplayed } from '../../../src/event-state/dispatch-replayed.queries';
import { forgetEventsBelow } from '../../../src/event-state/forget-events.queries';
import { openAttempts } from '../../../src/event-state/open-attempts.queries';
import { raiseStates, type Failure } from '../../../src/event-state/settle-failures.queries';
import type { DispatchedEvent } from '../../../src/event/dispatched-event';
import { uuidV7Floor } from '../../../src/event/uuid-v7';
import { TransactionalHandlers } from '../../../src/worker/run/transactional-handlers';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { SettlePass } from '../../../src/worker/settle/settle-pass';
import { transactional } from '../handlers';
import { itemOf } from '../settler';
import type { Locker, LockedRows, LockedTable } from './locker';

/** The dispatch that a worker has in hand. */
const dispatched = (id: string): DispatchedEvent => ({
  id,
  tenantId: 'acme',
  type: 'order.paid',
  receivedAt: '2026-01-01T00:00:00.000Z',
  sizeBytes: 1,
  correlationId: 'c-1',
  dispatchNo: 2,
  generation: 1,
  body: Buffer.from('{}'),
});

const failure = (event: DispatchedEvent, i: number): Failure => ({
  event,
  attemptNumber: 1,
  decision:
    i % 2 === 0
      ? { kind: 'dead-letter', reasonCode: 'HANDLER_ERROR', message: 'it broke', exhausted: false }
      : { kind: 'postpone', reasonCode: 'TENANT_FAILING', message: 'later', delayMs: 1_000 },
  durationMs: 1,
  done: ['one', 'two'],
});
const failures = ({ ids }: LockedRows): Failure[] => ids.map(dispatched).map(failure);

/** Runs one query function in a transaction. */
const one = (
  name: string,
  tables: readonly LockedTable[],
  query: (db: Db, rows: LockedRows) => Promise<unknown>,
): Locker => ({ name, tables, run: (pool, rows) => inTransaction(pool, (db) => query(db, rows)) });

const failsOften = transactional('failing', ['*'], (events) =>
  Promise.resolve(
    new Map(
      events
        .filter((_, i) => i % 3 === 0)
        .map(({ id }) => [id, { kind: 'retry' as const, reasonCode: 'HANDLER_ERROR' }]),
    ),
  ),
);
const RULES = { MAX_RETRY_ATTEMPTS: 3, RETRY_BACKOFF_MS: [1_000], RETRY_JITTER: 0, DLQ_COPY: true };

/** The first pass learns which events fail, and the second settles them together with the others. */
async function settleBatch(pool: Pool, { ids }: LockedRows): Promise<void> {
  const pass = new SettlePass(RULES, new TransactionalHandlers([failsOften, new UsageMeter()]));
  let items = ids.map((id) => itemOf(dispatched(id)));
  for (let i = 0; i < 2; i++) {
    const result = await inTransaction(
      pool,
      (db) => pass.run(db, items, { mode: 'together', startedMs: performance.now() }),
      ({ kind }) => kind === 'committed',
    );
    if (result.kind === 'committed') return;
    items = [...result.items];
  }
}

const inTurn = async (pool: Pool, ids: readonly string[], work: (db: Db, id: string) => Promise<unknown>) => {
  for (const id of ids) await inTransaction(pool, (db) => work(db, id));
};

async function step(db: Db, id: string): Promise<void> {
  const replay = await lockReplay(db, id);
  if (replay) await stepReplay(db, replay, 1_000);
}

async function cancel(db: Db, id: string): Promise<void> {
  if (!(await cancelReplay(db, id))) return;
  await cancelPending(db, id);
  await finishReplay(db, id);
}

const STATES = ['event_state'] as const;

/** The destination of all deliveries of the test. */
export const DESTINATION = '019a0000-0000-7000-8000-000000000001';

/** A settle transaction and the next generation of the same events, which a reprocess dispatched. */
const record =
  (eventGeneration: number) =>
  (db: Db, { ids }: LockedRows) =>
    recordDeliveries(
      db,
      ids.map((eventId) => ({
        eventId,
        destinationId: DESTINATION,
        tenantId: 'acme',
        type: 'order.paid',
        eventGeneration,
        reserved: false,
      })),
      { token: DESTINATION, seconds: 30 },
    );

/** What locks several rows about events. */
export const EVENT_LOCKERS: readonly Locker[] = [
  one('completeStates', STATES, (db, { ids }) => completeStates(db, ids.map(dispatched))),
  one('completeDispatchesOfSucceeded', STATES, (db, { ids }) => completeDispatchesOfSucceeded(db, ids.map(dispatched))),
  one('raiseStates', STATES, (db, rows) => raiseStates(db, failures(rows), [])),
  one('discardDeadLetters', STATES, (db, { ids }) => discardDeadLetters(db, ids, 'note')),
  one('dispatchDeadLetters', STATES, (db, { ids }) => dispatchDeadLetters(db, ids)),
  one('dispatchDueRetries', STATES, (db) => dispatchDueRetries(db, 1_000)),
  one('dispatchLost', STATES, (db, { ids }) =>
    dispatchLost(
      db,
      ids.map((eventId) => ({ eventId, dispatchNo: 2, generation: 1 })),
    ),
  ),
  one('dispatchReplayed', STATES, async (db, { ids }) => {
    const candidates = ids.map((eventId) => ({ eventId, dispatchNo: 2, generation: 1, done: false, reason: null }));
    await dispatchReplayed(db, { mode: 'republish', discardedToo: false }, candidates);
  }),
  one('forgetEventsBelow', STATES, (db) => forgetEventsBelow(db, uuidV7Floor(Infinity), 1_000)),
  one('insertReplayEvents', STATES, async (db, { ids, replays }) => {
    await insertReplayEvents(db, replays[0] as string, ids);
  }),
  one('openAttempts', ['processing_attempts'], (db, { ids }) =>
    openAttempts(db, ids.map(dispatched), { durationMs: 1, worker: 'test' }),
  ),
  one('recordDeliveries', ['deliveries'], record(1)),
  one('recordDeliveries', ['deliveries'], record(2)),
  { name: 'SettlePass', tables: ['event_state', 'processing_attempts', 'usage_daily'], run: settleBatch },
  { name: 'stepReplay', tables: STATES, run: (pool, { replays }) => inTurn(pool, replays, step) },
  { name: 'cancelReplay', tables: STATES, run: (pool, { replays }) => inTurn(pool, replays, cancel) },
];
