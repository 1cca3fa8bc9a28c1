import type { CircuitEffect, DestinationFailure } from '../delivery-state/destination-failures.queries';
import { endedAttempt, type AttemptOutcome } from './delivery-outcome';

/** What a later failure leaves of the effect of an earlier one. */
const merged = (before: CircuitEffect | undefined, effect: CircuitEffect): CircuitEffect =>
  before === undefined || effect !== 'same' ? effect : before;

/** Sums up, by destination, what a batch of attempts says in the order in which they ended. */
export function healthOfBatch(outcomes: readonly AttemptOutcome[]): {
  failures: DestinationFailure[];
  /** Destinations that had a success, before their failures if they have any. */
  succeeded: string[];
} {
  const failures = new Map<string, DestinationFailure>();
  const succeeded = new Set<string>();
  for (const outcome of outcomes) {
    const { destinationId, eventId } = outcome.delivery;
    if (outcome.health === undefined) continue;
    if (outcome.health === 'success') {
      succeeded.add(destinationId);
      failures.delete(destinationId);
      continue;
    }
    const effect = merged(failures.get(destinationId)?.effect, outcome.health);
    const { reasonCode, statusCode, error } = endedAttempt(outcome);
    failures.set(destinationId, { destinationId, eventId, effect, reasonCode, statusCode, error });
  }
  return { failures: [...failures.values()], succeeded: [...succeeded] };
}
