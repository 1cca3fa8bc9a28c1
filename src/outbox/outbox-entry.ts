import { QUEUES, type OutgoingMessage } from '../broker/broker';
import { eventJson, type Event } from '../event/event';

/** A claimed entry, joined with its event. */
export interface ClaimedEntry {
  /** bigint as text. */
  id: string;
  destination: keyof typeof QUEUES;
  dispatchNo: number;
  generation: number;
  /** When it was appended; says in which partition it lies. */
  createdAt: string;
  /** How often the broker had no queue for it. */
  attempts: number;
  event: Event;
}

/**
 * The message of an entry. What a worker needs to settle stands in the headers, so that it parses the body only for
 * handlers that read it.
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
