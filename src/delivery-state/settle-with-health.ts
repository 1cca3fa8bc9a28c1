import type { Db } from '../db/pool';
import type { DeliveryKey } from './delivery';
import { recordHealth, type DestinationFailure, type FailingDestination } from './destination-failures.queries';
import { noteFailures } from './order/settled-in-order.queries';
import { turnKeys } from './order/turn-keys';
import { settleAttempts, type EndedAttempt, type SettledAttempt } from './settle-deliveries.queries';

/** The newest failure of a destination in a batch, and the delivery whose attempt it was. */
export type FailureOfDelivery = DestinationFailure & DeliveryKey;

/** What a batch of attempts says about its destinations. */
export interface BatchHealth {
  failures: readonly FailureOfDelivery[];
  /** Destinations that had a success, before their failures if they have any. */
  succeeded: readonly string[];
}

export interface SettledAttempts {
  settled: SettledAttempt[];
  /** Where the circuits of the destinations that failed stand now. */
  failing: FailingDestination[];
  /** Ordered destinations that have one more delivery to be sent. */
  unparked: string[];
}

/**
 * Settles attempts and records the health of their destinations, in the caller's transaction. Deliveries are locked before
 * the failures of destinations. A failure whose attempt was not settled counts, but its message is not stored: the lease
 * was lost, perhaps to an erasure, which would not find the message any more. The rows of settled deliveries stay
 * locked until the commit, so an erasure of their events comes before or after all of it. The keys of ordered destinations
 * are locked last.
 */
export async function settleWithHealth(
  db: Db,
  ended: readonly EndedAttempt[],
  { failures, succeeded }: BatchHealth,
  worker: string,
): Promise<SettledAttempts> {
  if (failures.length === 0) {
    // Sent together. The transaction fails with any of them.
    const [settled] = await Promise.all([settleAttempts(db, ended, worker), recordHealth(db, succeeded, [])]);
    return { settled, failing: [], unparked: await moveOn(db, settled) };
  }
  const settled = await settleAttempts(db, ended, worker);
  const failing = await recordHealth(db, succeeded, withoutLostMessages(failures, settled));
  return { settled, failing, unparked: await moveOn(db, settled) };
}

/** The next deliveries of the same keys may start, unless a failure blocks them. */
async function moveOn(db: Db, settled: readonly SettledAttempt[]): Promise<string[]> {
  const inOrder = settled.flatMap((one) => one.inOrder ?? []);
  if (inOrder.length === 0) return [];
  await noteFailures(
    db,
    inOrder.filter(({ status }) => status === 'FAILED'),
  );
  return turnKeys(db, inOrder, inOrder);
}

/** Removes the messages of failures whose attempts were not settled. */
export function withoutLostMessages(
  failures: readonly FailureOfDelivery[],
  settled: readonly DeliveryKey[],
): FailureOfDelivery[] {
  const held = new Set(settled.map(textOfDelivery));
  return failures.map((failure) => (held.has(textOfDelivery(failure)) ? failure : { ...failure, error: null }));
}

/** Identifies a delivery, as the key of a map. */
export const textOfDelivery = ({ eventId, destinationId, generation }: DeliveryKey): string =>
  `${eventId} ${destinationId} ${generation}`;
