import type { ClosedDispatch, RejectionOfEvent, TimelineEvent } from './event-history.queries';
import { bySystem, cause, sentence, type TimelineEntry } from './timeline-entry';

export function receivedEntry(event: Omit<TimelineEvent, 'tenantId'>): TimelineEntry {
  const { receivedAt, sourceName, sourceId, eventId, type, source, subject, correlationId, sizeBytes, hash } = event;
  const through = sourceName === null ? '' : ` through the source "${sourceName}"`;
  const text = `Event "${eventId}" of type ${type} was received${through}.`;
  const data = { eventId, type, source, sourceId, subject, correlationId, sizeBytes, hash };
  return bySystem(receivedAt, 'received', text, data);
}

/** What became of a rejection that is now this event. `told`: an entry of an operator says that it was sent in again. */
export function rejectionEntries(rejection: RejectionOfEvent, told: boolean): TimelineEntry[] {
  const { id: rejectionId, code, pointer, message, receivedAt, settledAt } = rejection;
  const data = { rejectionId, code, pointer };
  const refused = bySystem(
    receivedAt,
    'rejected',
    sentence(`The record was refused with ${cause(code, message)}`),
    data,
  );
  if (settledAt === null || told) return [refused];
  const text = 'The rejection was sent in again and became this event.';
  return [refused, { ...bySystem(settledAt, 'resubmitted', text, { rejectionId }), actor: null }];
}

/** The end of a dispatch in the outbox. Those of automatic retries are not looked up: their attempts tell of them. */
export function dispatchEntry({
  at,
  status,
  dispatchNo,
  generation,
  attempts,
  lastError,
}: ClosedDispatch): TimelineEntry {
  if (status === 'PUBLISHED') {
    return bySystem(at, 'published', `Dispatch ${dispatchNo} was published to the broker.`, { dispatchNo, generation });
  }
  const text = sentence(`Dispatch ${dispatchNo} could not be published: ${lastError ?? 'the broker refused it'}`);
  return bySystem(at, 'publish-failed', text, { dispatchNo, generation, attempts });
}
