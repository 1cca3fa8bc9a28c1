import type { DeliveryOfTimeline } from './delivery-history.queries';
import type { RevisionOfTimeline } from './event-history.queries';
import type { DeadLetterOfEvent } from './handler-history.queries';
import type { ActionOfTimeline, ReplayOfTimeline } from './operator-history.queries';
import type { TimelineEntry } from './timeline-entry';

/** Destinations that a text names. */
const MOST_NAMED = 3;

export function replayEntry({ at, requestedBy: actor, note, destination, ...replay }: ReplayOfTimeline): TimelineEntry {
  const { mode } = replay;
  const toAll = mode === 'reprocess' ? 'all handlers run again' : 'handlers that have succeeded do not run again';
  const toOne = mode === 'reprocess' ? 'a new delivery is made' : 'its failed delivery is retried';
  const to = destination === null ? '' : ` to ${destination}`;
  const text = `The event was replayed${to} with mode ${mode}: ${destination === null ? toAll : toOne}.`;
  return { at, kind: 'replay', actor, text, note, data: replay };
}

export function revisionEntry({ createdAt: at, actor, note, ...revision }: RevisionOfTimeline): TimelineEntry {
  const text = `Revision ${revision.revision} was made: the event has another payload.`;
  return { at, kind: 'revision', actor, text, note, data: revision };
}

export function actionEntry({ at, actor, note, destinations, ...action }: ActionOfTimeline): TimelineEntry {
  return { at, kind: 'action', actor, text: textOf(action.action, destinations), note, data: action };
}

/** The end of a dead letter that is not recorded as an action: by an earlier version, or by a revision that retries it. */
export function resolvedEntry(
  letter: DeadLetterOfEvent,
  actions: readonly ActionOfTimeline[],
  revisions: readonly RevisionOfTimeline[],
): TimelineEntry | undefined {
  const { resolvedAt, resolution, note } = letter;
  if (resolvedAt === null || resolution === null || resolution === 'REPLAYED') return undefined; // the replay tells it
  const action = resolution === 'RETRIED' ? 'dlq.retry' : 'dlq.discard';
  if (actions.some((one) => one.action === action && one.at === resolvedAt)) return undefined;
  const actor = revisions.find(({ createdAt }) => createdAt === resolvedAt)?.actor ?? null;
  return { at: resolvedAt, kind: 'action', actor, text: textOf(action, []), note, data: { action } };
}

/** Whether one of these actions is what settled the delivery: both have the time of their transaction. */
export const settledByAction = (
  { settledAt, destinationId }: Pick<DeliveryOfTimeline, 'settledAt' | 'destinationId'>,
  actions: readonly ActionOfTimeline[],
): boolean => actions.some(({ at, destinationIds }) => at === settledAt && destinationIds.includes(destinationId));

function textOf(action: string, destinations: readonly string[]): string {
  const what =
    destinations.length > 0
      ? `${destinations.length === 1 ? 'The delivery' : 'The deliveries'} to ${listed(destinations)}`
      : 'The event';
  const were = destinations.length > 1 ? 'were' : 'was';
  switch (action) {
    case 'dlq.retry':
    case 'deliveries.retry':
      return destinations.length > 0 ? `${what} ${were} retried.` : 'The dead letter was retried.';
    case 'dlq.discard':
    case 'deliveries.discard':
      return destinations.length > 0 ? `${what} ${were} discarded.` : 'The dead letter was discarded.';
    case 'erasure':
      return 'The payload was erased.';
    case 'rejections.resubmit':
      return 'A rejection was resubmitted, and this is its event.';
    case 'outbox.retry':
      return 'A dispatch that had failed was returned to the outbox.';
    default:
      return `${what} ${were} changed by ${action}.`;
  }
}

function listed(names: readonly string[]): string {
  const named = names.slice(0, MOST_NAMED);
  const others = names.length - named.length;
  if (others > 0) return `${named.join(', ')} and ${others} more`;
  return named.length === 1 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`;
}
