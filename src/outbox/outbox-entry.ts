import { QUEUES, type OutgoingMessage } from '../broker/broker';
import { eventJson, eventJsonWithoutPayload, type Event } from '../event/event';

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
  event: Event;
}

/**
 * Builds the message of an entry. The headers contain everything that a worker needs to settle the message, so that it
 * parses the body only for handlers that read it. A dead letter is a reference without the payload: StreamForge never
 * takes messages out of events.dlq, so an erasure could not remove them.
 *
 * Workers of the build before drop a message with a negative generation, so they do not run a revision as if it were the
 * event as it was sent.
 */
export function toMessage({ destination, dispatchNo, generation, revision, event }: ClaimedEntry): OutgoingMessage {
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
      ...revised,
      ...(event.traceparent ? { traceparent: event.traceparent } : {}),
    },
    body: Buffer.from(destination === 'dlq' ? referenceTo(event) : eventJson(event, revised)),
  };
}

const referenceTo = (event: Event): string => eventJsonWithoutPayload({ ...event, extensionsJson: null }, {});
