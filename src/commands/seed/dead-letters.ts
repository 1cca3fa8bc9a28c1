import type { Db } from '../../db/pool';
import { openAttempts } from '../../event-state/open-attempts.queries';
import { settleFailures } from '../../event-state/settle-failures';
import type { RetryDecision } from '../../event-state/settle-failures.queries';
import type { DispatchedEvent } from '../../event/dispatched-event';
import type { PreparedEvent } from '../../event/prepare-event';
import { storeEvents } from '../../ingest/store/store-batch.queries';

const REFUSED: RetryDecision = {
  kind: 'dead-letter',
  reasonCode: 'INVALID_PAYLOAD',
  message: 'written by npm run seed: no handler has run',
};

/**
 * Stores events and dead-letters them in the caller's transaction, as a worker does whose handler refuses them. The dead
 * letter is a newer dispatch than the one that storing appended, so no worker runs that one (I11). Returns how many
 * events were new.
 */
export async function storeDeadLetters(db: Db, prepared: readonly PreparedEvent[]): Promise<number> {
  const stored = await storeEvents(db, prepared);
  const events = prepared.map(dispatched).filter(({ id }) => stored.has(id));
  const attempts = await openAttempts(db, events, { durationMs: 0, worker: 'seed' });
  const failures = events.map((event) => ({
    event,
    attemptNumber: attempts.get(event.id) ?? 1,
    decision: REFUSED,
    durationMs: 0,
    done: [],
  }));
  if (!(await settleFailures(db, failures)))
    throw new Error('An event was dispatched again before its transaction ended');
  return events.length;
}

function dispatched({ event }: PreparedEvent): DispatchedEvent {
  const { id, tenantId, type, receivedAt, sizeBytes, correlationId } = event;
  const body = Buffer.alloc(0); // no handler reads it
  return { id, tenantId, type, receivedAt, sizeBytes, correlationId, dispatchNo: 1, generation: 1, body };
}
