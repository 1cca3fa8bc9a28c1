import type { ClosedDispatch, RejectionOfEvent, TimelineEvent } from './event-history.queries';
import { bySystem, cause, sentence, type TimelineEntry } from './timeline-entry';

export function receivedEntry(event: Omit<TimelineEvent, 'tenantId'>): TimelineEntry {
  const { receivedAt, sourceName, sourceId, eventId, type, source, subject, correlationId, sizeBytes, hash } = event;
  const through = sourceName === null ? '' : ` through the source "${sourceName}"`;
  const text = `Event "${eventId}" of type ${type} was received${through}.`;
  const data = { eventId, type, source, sourceId, subject, correlationId, sizeBytes, hash };
  return bySystem(receivedAt, 'received', text, data);
}

/**
 * What became of a rejection that has this event. `told`: an entry of an operator says that it was sent in again. That of
 * a duplicate is shown nevertheless, since only it says that the event came from another record.
 */
export function rejectionEntries(rejection: RejectionOfEvent, told: boolean): TimelineEntry[] {
  const { id: rejectionId, code, pointer, message, receivedAt, settledAt, duplicate } = rejection;
  const words = WORDS[duplicate === null ? 'unknown' : duplicate ? 'duplicate' : 'same'];
  const text = sentence(`${words.record} was refused with ${cause(code, message)}`);
  const refused = bySystem(receivedAt, 'rejected', text, { rejectionId, code, pointer, duplicate });
  if (settledAt === null || (told && duplicate !== true)) return [refused];
  const resubmitted = bySystem(settledAt, 'resubmitted', words.resubmitted, { rejectionId, duplicate });
  return [refused, { ...resubmitted, actor: null }];
}

/** The build before does not record whether a rejection is a duplicate. */
const WORDS = {
  same: { record: 'The record', resubmitted: 'The rejection was sent in again and became this event.' },
  duplicate: {
    record: 'Another record',
    resubmitted: 'The rejection of another record was sent in again. It is a duplicate of this event.',
  },
  unknown: { record: 'A record', resubmitted: 'The rejection was sent in again. This is its event.' },
};

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
