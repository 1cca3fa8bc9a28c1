import type { Db } from '../../db/pool';
import { fillDeliveries } from '../../delivery-state/fill-deliveries.queries';
import { reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import { assessForDestination, type DestinationCandidate } from './destination-replay.queries';
import type { ReplayInHand } from './replay.queries';
import { recordSent, recordSkipped } from './replay-events.queries';

/** The deliveries of a step are due a microsecond apart, which keeps them in the order of their events. */
const PER_SECOND = 1_000_000;

/**
 * Sends pending events of a replay to one destination. No handler runs, and nothing goes through the outbox. An event is
 * COMPLETED once its delivery is in the queue.
 */
export async function sendToDestination(
  db: Db,
  replay: ReplayInHand,
  destinationId: string,
  pending: readonly string[],
): Promise<void> {
  const { id, mode, discardedToo } = replay;
  const question = { ids: pending, destinationId, mode, discardedToo, ownReplay: id };
  const assessed = await assessForDestination(db, question);
  const fit = assessed.filter(({ reason }) => reason === null);
  const sent = new Set(
    mode === 'republish' ? await reopen(db, destinationId, fit) : await fill(db, id, destinationId, fit),
  );
  const left = assessed.filter(({ eventId }) => !sent.has(eventId));
  await recordSent(db, id, [...sent]);
  await recordSkipped(
    db,
    id,
    left.map(({ eventId, reason }) => ({ eventId, reason: reason ?? 'moved-on' })),
  );
}

async function reopen(db: Db, destinationId: string, fit: readonly DestinationCandidate[]): Promise<string[]> {
  const keys = fit.map(({ eventId, generation }) => ({ eventId, destinationId, generation }));
  return (await reopenDeliveries(db, keys)).map(({ eventId }) => eventId);
}

async function fill(
  db: Db,
  replayId: string,
  destinationId: string,
  fit: readonly DestinationCandidate[],
): Promise<string[]> {
  const eventIds = fit.map(({ eventId }) => eventId);
  const order = { replayId, destinationId, eventIds, dueAt: null, ratePerSecond: PER_SECOND, deliveredToo: true };
  return (await fillDeliveries(db, order)).filter(({ reason }) => reason === null).map(({ eventId }) => eventId);
}
