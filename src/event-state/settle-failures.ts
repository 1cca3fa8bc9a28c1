import { appendDeadLetterEntry } from './dispatch-again.queries';
import type { Db } from '../db/pool';
import {
  failAttempts,
  raiseStates,
  recordDeadLetters,
  scheduleRetries,
  withdrawAttempts,
  type Failure,
} from './settle-failures.queries';
import { recordEffects } from './handler-effects.queries';

const MOST_NAME_LENGTH = 200;

/**
 * Everything that a failure leaves: the attempt, the next dispatch, its due time or the dead letter with its copy for
 * outside (I8), and what need not be done again. False when one of the events was dispatched again meanwhile; then the
 * transaction has to be rolled back.
 */
export async function recordFailures(db: Db, failures: readonly Failure[]): Promise<boolean> {
  if ((await raiseStates(db, failures)).size < failures.length) return false;
  await failAttempts(db, failures);
  await withdrawAttempts(db, failures);
  await scheduleRetries(db, failures);
  const effects = failures.flatMap(({ event, done }) =>
    done.map((name) => ({ event, name: name.slice(0, MOST_NAME_LENGTH) })),
  );
  await recordEffects(db, effects);
  await deadLetter(
    db,
    failures.filter(({ decision }) => decision.kind === 'dead-letter'),
  );
  return true;
}

async function deadLetter(db: Db, failures: readonly Failure[]): Promise<void> {
  if (failures.length === 0) return;
  await recordDeadLetters(db, failures);
  for (const { event } of failures) {
    const { id: eventId, dispatchNo, generation } = event;
    await appendDeadLetterEntry(db, { eventId, dispatchNo: dispatchNo + 1, generation });
  }
}
