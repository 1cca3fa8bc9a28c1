import type { Db } from '../../db/pool';
import { fillDeliveries } from '../../delivery-state/fill-deliveries.queries';
import type { SealedDestination } from '../../destinations/destination';
import { findDestination } from '../../destinations/destinations.queries';
import { EventFilters } from '../../destinations/render/event-filters';
import { revisedEventJson } from '../../revisions/revised-event';
import { matchesType } from '../../event/type-pattern';
import { listStoredEvents } from '../destinations/stored-event.queries';
import {
  cancelBackfill,
  correctMatched,
  countOpenOfBackfill,
  finishBackfill,
  listBackfillEvents,
  moveBackfill,
  type BackfillInHand,
} from './backfill.queries';

/** Most events of a tenant that one step reads. */
const EVENTS_PER_STEP = 500;
/** With a filter, a step reads the payloads as well. */
const EVENTS_WITH_PAYLOAD = 50;
/** A backfill keeps up to this many deliveries in the queue, so that new ones wait behind few, and it can be cancelled. */
const MOST_OPEN = 2_000;
/** Deliveries of a rate are made at most this long before they are due. */
const MOST_AHEAD_SECONDS = 5;
/** Without a rate, deliveries are due a microsecond apart, which keeps them in the order of their events. */
const AT_ONCE = 1_000_000;

const filters = new EventFilters();

/**
 * Advances a locked backfill by one bounded step in the caller's transaction. Stops it if its destination is disabled or
 * deleted. Returns whether it made a delivery or looked at an event.
 */
export async function stepBackfill(db: Db, backfill: BackfillInHand): Promise<boolean> {
  const { replayId, status } = backfill;
  if (status !== 'RUNNING') {
    await finishBackfill(db, replayId);
    return false;
  }
  const destination = await findDestination(db, backfill.destinationId);
  if (!destination?.enabled) return cancelBackfill(db, replayId);
  const room = await roomOf(db, backfill, destination);
  if (room <= 0) return false;
  if (backfill.remaining === 0) {
    await finishBackfill(db, replayId);
    return false;
  }
  const range = { tenantId: destination.tenantId, position: backfill.position, below: backfill.below };
  const read = await listBackfillEvents(db, range, room);
  const last = read.at(-1);
  if (last) await fill(db, backfill, destination, read);
  if (read.length < room) {
    await correctMatched(db, replayId);
    await finishBackfill(db, replayId);
  }
  return last !== undefined;
}

/** Returns how many events the step may look at. */
async function roomOf(db: Db, backfill: BackfillInHand, { filter }: SealedDestination): Promise<number> {
  const { replayId, ratePerSecond, aheadSeconds } = backfill;
  if (aheadSeconds >= MOST_AHEAD_SECONDS) return 0;
  const most = filter === null ? EVENTS_PER_STEP : EVENTS_WITH_PAYLOAD;
  const ofRate = ratePerSecond === null ? most : Math.ceil(ratePerSecond * MOST_AHEAD_SECONDS);
  const open = await countOpenOfBackfill(db, replayId, MOST_OPEN);
  return Math.min(most, ofRate, MOST_OPEN - open);
}

async function fill(
  db: Db,
  backfill: BackfillInHand,
  destination: SealedDestination,
  read: readonly { id: string; type: string }[],
): Promise<void> {
  const { replayId, destinationId, remaining, nextDueAt } = backfill;
  const matching = read
    .filter(({ type }) => matchesType(destination.eventTypes, type))
    .filter(({ type }) => backfill.type === null || matchesType([backfill.type], type))
    .slice(0, remaining ?? read.length);
  const wanted = await passing(
    db,
    destination,
    matching.map(({ id }) => id),
  );
  const ratePerSecond = backfill.ratePerSecond ?? AT_ONCE;
  const order = { replayId, destinationId, eventIds: wanted, dueAt: nextDueAt, ratePerSecond, deliveredToo: false };
  const outcomes = wanted.length === 0 ? [] : await fillDeliveries(db, order);
  const skipped: Record<string, number> = {};
  if (matching.length > wanted.length) skipped.filtered = matching.length - wanted.length;
  for (const { reason } of outcomes) if (reason) skipped[reason] = (skipped[reason] ?? 0) + 1;
  const filled = outcomes.filter(({ reason }) => reason === null).length;
  const position = matching.length === remaining ? matching.at(-1)?.id : read.at(-1)?.id;
  await moveBackfill(db, replayId, {
    position: position ?? backfill.position,
    filled,
    skipped,
    spanSeconds: filled / ratePerSecond,
  });
}

/** Returns the events that pass the filter of the destination. */
async function passing(db: Db, destination: SealedDestination, ids: readonly string[]): Promise<string[]> {
  if (destination.filter === null) return [...ids];
  const events = await listStoredEvents(db, ids);
  return events
    .filter((event) => filters.matches(destination, Buffer.from(revisedEventJson(event))))
    .map(({ id }) => id);
}
