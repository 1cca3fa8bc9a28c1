import { SYSTEM_ACTOR } from '../../audit/system-actions.queries';
import type { DeliveryAttemptOfTimeline, DeliveryOfTimeline } from './delivery-history.queries';
import { bySystem, type TimelineEntry } from './timeline-entry';

const SUCCESS = 'PROCESSED';

/** `the delivery to orders`, or `delivery 2 to orders` for a later one. */
const nameOf = ({ generation, destination }: { generation: number; destination: string }): string =>
  `${generation === 1 ? 'the delivery' : `delivery ${generation}`} to ${destination}`;

const begin = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export function deliveryEntry(delivery: DeliveryOfTimeline): TimelineEntry {
  const { at, destinationId, generation, replayId, replayMode, requestedBy, note } = delivery;
  const data = { destinationId, generation, ...(replayId === null ? {} : { replayId }) };
  const by = replayId === null ? '' : replayMode === 'backfill' ? ' by a backfill' : ' by a replay';
  const actor = replayId === null ? SYSTEM_ACTOR : requestedBy;
  return { at, kind: 'delivery', actor, text: `${begin(nameOf(delivery))} was recorded${by}.`, note, data };
}

export function deliveryAttemptEntry({ at, destination, ...attempt }: DeliveryAttemptOfTimeline): TimelineEntry {
  const { attemptNumber, reasonCode, statusCode, durationMs } = attempt;
  const what = `Attempt ${attemptNumber} of ${nameOf({ destination, ...attempt })}`;
  const answer = statusCode === null ? '' : ` (HTTP ${statusCode})`;
  const ended = reasonCode === SUCCESS ? 'succeeded' : `failed with ${reasonCode}`;
  return bySystem(at, 'delivery-attempt', `${what} ${ended}${answer} after ${durationMs} ms.`, attempt);
}

/** How a delivery ended, unless its attempts tell it already. `discarded`: an entry of an operator tells that. */
export function settledEntry(delivery: DeliveryOfTimeline, discarded: boolean): TimelineEntry | undefined {
  const { settledAt, status, destinationId, generation, attempts, exhausted, lastReasonCode, lastStatusCode } =
    delivery;
  const how = endOf(delivery);
  if (settledAt === null || how === undefined || (status === 'DISCARDED' && discarded)) return undefined;
  const data = { destinationId, generation, status, attempts, exhausted, lastReasonCode, lastStatusCode };
  const entry = bySystem(settledAt, 'delivery-settled', `${begin(nameOf(delivery))} ${how}.`, data);
  return status === 'DISCARDED' ? { ...entry, actor: null } : entry;
}

function endOf({ status, attempts, exhausted, lastReasonCode }: DeliveryOfTimeline): string | undefined {
  const reason = lastReasonCode === null ? '' : ` with ${lastReasonCode}`;
  if (status === 'FAILED') return `failed${reason}, and ${exhausted ? 'no attempt was left' : 'is not tried again'}`;
  if (status === 'SKIPPED') return `was skipped${reason}`;
  if (status === 'DISCARDED') return 'was discarded';
  return status === 'DELIVERED' && attempts === 0 ? 'had been made by an earlier version' : undefined;
}
