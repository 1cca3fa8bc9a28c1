import type { ProblemCode } from '../event/problems';

/** A record, or a whole request, that a known tenant or source sent and that did not become an event. */
export interface Rejection {
  /** UUIDv7. */
  id: string;
  tenantId: string;
  sourceId: string | null;
  /** Where it was sent to. */
  endpoint: RejectionEndpoint;
  code: ProblemCode;
  /** JSON Pointer to the first invalid place; null if there is none. */
  pointer: string | null;
  message: string;
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
}

export type RejectionEndpoint = 'source';

/** What was refused, with its bytes. */
export interface NewRejection extends Rejection {
  /** The request without its body, as JSON text. Only the first rejection of a request has it. */
  requestJson: string | null;
  body: Buffer;
}
