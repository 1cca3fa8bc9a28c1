import type { Db } from '../../db/pool';
import { listFailedDeliveries } from '../../delivery-state/failed-deliveries.queries';
import { reopenDeliveries } from '../../delivery-state/reopen-deliveries.queries';
import {
  assessForReplay,
  dispatchReplayed,
  type ReplayCandidate,
  type SkipReason,
} from '../../event-state/dispatch-replayed.queries';
import { sendToDestination } from './destination-replay-step';
import { finishReplay, type ReplayInHand } from './replay.queries';
import { listPending, listSettled, recordDispatched, recordSettled, recordSkipped } from './replay-events.queries';

/**
 * Advances a locked replay by one bounded step in the caller's transaction. The step records settled events, dispatches
 * or skips up to `room` pending events, and finishes the replay when no event is pending or dispatched. Returns whether
 * the outcome of any event changed.
 */
export async function stepReplay(db: Db, replay: ReplayInHand, room: number): Promise<boolean> {
  const settled = await listSettled(db, replay.id);
  await recordSettled(db, replay.id, settled);
  const pending = replay.status === 'RUNNING' && room > 0 ? await listPending(db, replay.id, room) : [];
  const { destinationId } = replay;
  if (pending.length > 0 && destinationId) await sendToDestination(db, replay, destinationId, pending);
  else if (pending.length > 0) await send(db, replay, pending);
  await finishReplay(db, replay.id);
  return settled.length > 0 || pending.length > 0;
}

async function send(db: Db, { id, mode, discardedToo }: ReplayInHand, pending: readonly string[]): Promise<void> {
  const assessed = await assessForReplay(db, { ids: pending, discardedToo, ownReplay: id });
  const dispatches = await dispatchReplayed(
    db,
    { mode, discardedToo },
    assessed.filter(({ reason }) => reason === null),
  );
  const sent = dispatches.map(({ eventId }) => eventId);
  if (mode === 'republish') await reopenFailed(db, assessed, new Set(sent));
  await recordDispatched(db, id, dispatches);
  await recordSkipped(db, id, skippedOf(assessed, new Set(sent)));
}

/** Opens the failed deliveries of events whose handlers are done. Those of the others are made when their handlers are. */
async function reopenFailed(db: Db, assessed: readonly ReplayCandidate[], sent: ReadonlySet<string>): Promise<void> {
  const done = assessed.filter((event) => event.done && sent.has(event.eventId)).map(({ eventId }) => eventId);
  if (done.length > 0) await reopenDeliveries(db, await listFailedDeliveries(db, done));
}

/**
 * Returns the events that were not dispatched, with the reasons. An event without a reason passed the assessment, but
 * its state changed before the dispatch.
 */
function skippedOf(
  assessed: readonly ReplayCandidate[],
  sent: ReadonlySet<string>,
): { eventId: string; reason: SkipReason }[] {
  return assessed
    .filter(({ eventId }) => !sent.has(eventId))
    .map(({ eventId, reason }) => ({ eventId, reason: reason ?? 'moved-on' }));
}
