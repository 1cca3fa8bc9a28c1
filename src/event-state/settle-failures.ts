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
 * Records failed attempts: the due time of a retry or a postponement, or a dead letter with its entry for `events.dlq`.
 * Returns false if one of the events was dispatched again in the meantime. The caller must then roll back the
 * transaction for all of them.
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
