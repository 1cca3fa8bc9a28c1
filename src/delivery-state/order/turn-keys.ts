import type { Db } from '../../db/pool';
import type { OrderedKey } from '../../event/ordered-key';
import type { PlannedDelivery, RecordedDelivery } from '../delivery';
import { withPlansByIndex } from '../plans-by-index.queries';
import { forgetOrderedEvents, type KeyOfEvent } from './ordered-events.queries';
import {
  forgetIdleKeys,
  lockKeys,
  MOST_SUPERSEDED,
  parkOvertaking,
  skipSuperseded,
  unparkFirst,
} from './ordered-keys.queries';
import { rememberLatest, type SettledInOrder } from './settled-in-order.queries';

/** Statements that skip superseded deliveries in one turn. What is left comes with the next one. */
const MOST_ROUNDS = 10;

/**
 * Decides which delivery of each key is next, after a transaction has changed what is queued. The last statements of that
 * transaction: whoever changes a key later waits for it, and then sees what this has seen and what it has done, so no change
 * is missed. Returns the destinations that have one more to be sent.
 *
 * @param delivered what has just been delivered of these keys
 */
export async function turnKeys(
  db: Db,
  keys: readonly OrderedKey[],
  delivered: readonly SettledInOrder[] = [],
): Promise<string[]> {
  if (keys.length === 0) return [];
  if (await lockKeys(db, keys)) {
    await rememberLatest(db, delivered);
    for (let round = 0; (await skipSuperseded(db, keys)) >= MOST_SUPERSEDED && round < MOST_ROUNDS; round++);
  }
  // Sent together; each sees what the one before has done.
  const [, unparked] = await Promise.all([parkOvertaking(db, keys), unparkFirst(db, keys), forgetIdleKeys(db, keys)]);
  return unparked;
}

/**
 * After a transaction has settled events and recorded their deliveries: later events of the same keys wait for these, and
 * no longer for the events. Returns also the keys in which handlers go on; they are locked.
 *
 * @param dead keys of events that became dead letters
 */
export async function turnSettled(
  db: Db,
  completedIds: readonly string[],
  dead: readonly KeyOfEvent[],
  planned: readonly PlannedDelivery[],
  recorded: readonly RecordedDelivery[],
): Promise<{ unparked: string[]; ofHandlers: OrderedKey[] }> {
  const known = [...(await forgetOrderedEvents(db, completedIds)), ...dead];
  const parked = new Set(recorded.filter(({ outcome }) => outcome === 'parked').map(({ eventId }) => eventId));
  const queued = planned.flatMap(({ eventId, tenantId, place }) =>
    place && parked.has(eventId) ? [{ tenantId, orderKey: place.orderKey }] : [],
  );
  const unparked = await withPlansByIndex(db, () => turnKeys(db, [...known, ...queued]));
  return { unparked, ofHandlers: known.filter(({ byHandler }) => byHandler) };
}
