import { QUEUES, type OutgoingMessage } from '../broker/broker';
import { eventJson, type Event } from '../event/event';

/** A claimed entry with its event. */
export interface ClaimedEntry {
  /** bigint as text. */
  id: string;
  destination: keyof typeof QUEUES;
  dispatchNo: number;
  generation: number;
  /** When the entry was appended. Determines its partition. */
  createdAt: string;
  /** Publishes for which the broker had no queue. */
  attempts: number;
  event: Event;
}

/**
 * Builds the message of an entry. The headers contain everything that a worker needs to settle the message, so that it
 * parses the body only for handlers that read it.
 */
export function toMessage({ destination, dispatchNo, generation, event }: ClaimedEntry): OutgoingMessage {
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
      generation,
      ...(event.traceparent ? { traceparent: event.traceparent } : {}),
    },
    body: Buffer.from(eventJson(event)),
  };
}
