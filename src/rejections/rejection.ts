import type { ProblemCode } from '../event/problems';

/** A record, or a whole request, that a known tenant or source sent and that did not become an event. */
export interface Rejection {
  /** UUIDv7. */
  id: string;
  tenantId: string;
  sourceId: string | null;
  /** Where it was sent to. */
  endpoint: RejectionEndpoint;
  /** How its bytes are read again. */
  format: RejectionFormat;
  code: ProblemCode;
  /** JSON Pointer to the first invalid place; null if there is none. */
  pointer: string | null;
  message: string;
  /** Type of the event; null where it cannot be read. */
  eventType: string | null;
  /** Number of the record in its batch, from 1; null for a whole request. */
  recordNumber: number | null;
  /** The idempotency key of the record; null if it had none. */
  requestKey: string | null;
  /** Id of the event that has the same key or id and other content. */
  conflictsWith: string | null;
  correlationId: string;
  receivedAt: string;
  contentType: string | null;
  /** Size of the whole body or record in bytes. */
  sizeBytes: number;
  status: RejectionStatus;
  /** When it was resubmitted or discarded. */
  settledAt: string | null;
  /** Id of the event that it became, or that another record had become. */
  eventId: string | null;
  /** Whether another record had become the event. Null without an event, and where the build before has resubmitted it. */
  duplicate: boolean | null;
  /** When its bytes were erased. */
  erasedAt: string | null;
}

export const REJECTION_ENDPOINTS = ['event', 'stream', 'source'] as const;
export type RejectionEndpoint = (typeof REJECTION_ENDPOINTS)[number];

/**
 * `event`: one envelope in JSON. `cloudevent`: a CloudEvent in structured mode. `cloudevent-binary`: the data of a
 * CloudEvent, whose attributes are headers of the request. `xml`: an <event> element. `source`: what its source maps.
 */
export const REJECTION_FORMATS = ['event', 'cloudevent', 'cloudevent-binary', 'xml', 'source'] as const;
export type RejectionFormat = (typeof REJECTION_FORMATS)[number];

export const REJECTION_STATUSES = ['OPEN', 'RESUBMITTED', 'DISCARDED'] as const;
export type RejectionStatus = (typeof REJECTION_STATUSES)[number];

/** What was refused, with its bytes. */
export interface NewRejection extends Omit<Rejection, 'status' | 'settledAt' | 'eventId' | 'duplicate' | 'erasedAt'> {
  /**
   * The request without its body, as JSON text. Of the rejections of one request of a source, only the first has it.
   */
  requestJson: string | null;
  /** All bytes, or the first ones. */
  body: Buffer;
  /** SHA-256 of all bytes, if `body` does not have them all. */
  digest?: Buffer | undefined;
}
