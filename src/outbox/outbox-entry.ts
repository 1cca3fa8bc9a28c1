import { QUEUES, type OutgoingMessage } from '../broker/broker';
import { eventJson, type Event } from '../event/event';
import { timeOfDayMs } from '../event/time-of-day';
import type { DeadLetterReason } from '../event-state/dead-letter-reasons.queries';

/** A claimed entry with its event. */
export interface ClaimedEntry {
  /** bigint as text. */
  id: string;
  destination: keyof typeof QUEUES;
  dispatchNo: number;
  generation: number;
  /** The number of the revision that `event` contains; null for the event as it was sent. */
  revision: number | null;
  /** When the entry was appended. Determines its partition. */
  createdAt: string;
  /** Publishes for which the broker had no queue. */
  attempts: number;
  /** The history of the database in which it was claimed (db/history/history.queries.ts); null if that is not known. */
  history: string | null;
  event: Event;
}

/**
 * Builds the message of an entry. The headers contain everything that a worker needs to settle the message, so that it
 * parses the body only for handlers that read it. A dead letter is a reference: StreamForge never takes messages out of
 * events.dlq, so an erasure could not remove what they say.
 *
 * `history` tells a worker whether the database may have forgotten the event since (TrustedEvents). Workers of the build
 * before do not read it.
 *
 * Workers of the build before drop a message with a negative generation, so they do not run a revision as if it were the
 * event as it was sent.
 */
export function toMessage(entry: ClaimedEntry, reasons: ReadonlyMap<string, DeadLetterReason>): OutgoingMessage {
  const { destination, dispatchNo, generation, revision, history, event } = entry;
  const revised: Record<string, number> = revision === null ? {} : { revision };
  return {
    queue: QUEUES[destination],
    id: event.id,
    headers: {
      'tenant-id': event.tenantId,
      'event-type': event.type,
      'received-at': event.receivedAt,
      'size-bytes': event.sizeBytes,
      'correlation-id': event.correlationId,
      'dispatch-no': dispatchNo,
      generation: revision === null || destination === 'dlq' ? generation : -generation,
      'published-at': timeOfDayMs(),
      ...revised,
      ...(event.traceparent ? { traceparent: event.traceparent } : {}),
      ...(history === null || destination === 'dlq' ? {} : { history }),
    },
    body: Buffer.from(destination === 'dlq' ? referenceTo(entry, reasons.get(event.id)) : eventJson(event, revised)),
  };
}

function referenceTo({ event, dispatchNo, generation, revision }: ClaimedEntry, reason?: DeadLetterReason): string {
  const { id, tenantId, eventId, type } = event;
  const revised = revision === null ? {} : { revision };
  return JSON.stringify({ id, tenantId, eventId, type, generation, dispatchNo, ...revised, ...reason });
}
