import type { CircuitEffect } from '../delivery-state/destination-failures.queries';
import type { BatchHealth, FailureOfDelivery } from '../delivery-state/settle-with-health';
import { endedAttempt, type AttemptOutcome } from './delivery-outcome';

/** What a later failure leaves of the effect of an earlier one. */
const merged = (before: CircuitEffect | undefined, effect: CircuitEffect): CircuitEffect =>
  before === undefined || effect !== 'same' ? effect : before;

/** Sums up, by destination, what a batch of attempts says in the order in which they ended. */
export function healthOfBatch(outcomes: readonly AttemptOutcome[]): BatchHealth {
  const failures = new Map<string, FailureOfDelivery>();
  const succeeded = new Set<string>();
  for (const outcome of outcomes) {
    const { destinationId, eventId, generation } = outcome.delivery;
    if (outcome.health === undefined) continue;
    if (outcome.health === 'success') {
      succeeded.add(destinationId);
      failures.delete(destinationId);
      continue;
    }
    const effect = merged(failures.get(destinationId)?.effect, outcome.health);
    const { reasonCode, statusCode, error } = endedAttempt(outcome);
    failures.set(destinationId, { destinationId, eventId, generation, effect, reasonCode, statusCode, error });
  }
  return { failures: [...failures.values()], succeeded: [...succeeded] };
}
