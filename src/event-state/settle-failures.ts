import type { Db } from '../db/pool';
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
 * Writes everything that failed attempts leave: a retry or a postponement its due time, a dead letter its row and its
 * entry for `events.dlq`. Returns false when one of the events was dispatched again meanwhile; the caller then rolls the
 * transaction back, with what was written for the others.
 *
 * @arrow [*] --> RETRYING
 * @arrow [*] --> DLQ
 * @arrow DISPATCHED --> RETRYING
 * @arrow DISPATCHED --> DLQ
 */
export async function settleFailures(db: Db, failed: readonly Failure[]): Promise<boolean> {
  const failures = failed.map((failure) => {
    const { decision } = failure;
    return { ...failure, decision: { ...decision, message: storedMessage(decision.message) } };
  });
  if ((await raiseStates(db, failures)) < failures.length) return false;
  await failAttempts(db, failures);
  await withdrawAttempts(db, failures);
  await scheduleRetries(db, failures);
  await recordEffects(db, failures);
  await recordDeadLetters(db, failures);
  return true;
}
