import type { Db } from '../db/pool';
import type { DispatchedEvent } from '../event/dispatched-event';
import {
  failAttempts,
  raiseStates,
  recordDeadLetters,
  recordEffects,
  scheduleRetries,
  withdrawAttempts,
  type Failure,
} from './settle-failures.queries';
import { storedMessage } from './stored-message';

/**
 * Records failed attempts: the due time of a retry or a postponement, or a dead letter, if `deadLetterCopies` with an
 * entry for `events.dlq`. Also completes `completed`, events of the same transaction that have a state. Returns false if one of the failed
 * events was dispatched again in the meantime. The caller must then roll back the transaction for all of them.
 *
 * @arrow [*] --> RETRYING
 * @arrow [*] --> DLQ
 * @arrow DISPATCHED --> RETRYING
 * @arrow DISPATCHED --> DLQ
 * @arrow DISPATCHED --> COMPLETED
 */
export async function settleFailures(
  db: Db,
  failed: readonly Failure[],
  completed: readonly DispatchedEvent[],
  { deadLetterCopies }: { deadLetterCopies: boolean },
): Promise<boolean> {
  const failures = failed.map((failure) => {
    const { decision } = failure;
    return { ...failure, decision: { ...decision, message: storedMessage(decision.message) } };
  });
  if ((await raiseStates(db, failures, completed)) < failures.length) return false;
  await failAttempts(db, failures);
  await withdrawAttempts(db, failures);
  await scheduleRetries(db, failures);
  await recordEffects(db, failures);
  await recordDeadLetters(db, failures, deadLetterCopies);
  return true;
}
