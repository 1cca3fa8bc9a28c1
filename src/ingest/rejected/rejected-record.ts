import type { RecordRejection, RequestContext } from '../../event/prepare-event';
import { shortText } from '../../event/short-error';
import { uuidV7 } from '../../event/uuid-v7';
import { timeOfDay } from '../../event/time-of-day';
import type { WholeRecord } from '../formats/long-record';
import type { NewRejection, RejectionEndpoint, RejectionFormat } from '../../rejections/rejection';

/** A record that was refused. */
export interface RejectedRecord {
  /** From 1; null for a whole request. */
  number: number | null;
  rejection: RecordRejection;
  /** The record as it was received, or its first bytes. Kept alive until it is stored. */
  bytes: Buffer;
  /** Size and SHA-256 of the whole record, if `bytes` is only its beginning. */
  whole?: WholeRecord | undefined;
  eventType: string | null;
}

/** What the rejections of a request have in common. */
export interface RejectedIn {
  endpoint: RejectionEndpoint;
  format: RejectionFormat;
  contentType: string | null;
  /** What else is needed of the request to read a record again, as JSON text. */
  requestJson: string | null;
}

export function newRejection(
  { number, rejection, bytes, whole, eventType }: RejectedRecord,
  { tenantId, correlationId, idempotencyKey }: RequestContext,
  request: RejectedIn,
): NewRejection {
  const { code, message, errors, conflictsWith } = rejection;
  const receivedAt = timeOfDay().toISOString();
  return {
    id: uuidV7(),
    tenantId,
    sourceId: null,
    ...request,
    code,
    pointer: errors[0] ? shortText(errors[0].pointer) : null,
    message: shortText(message.trim()),
    eventType,
    recordNumber: number,
    requestKey: idempotencyKey ?? null,
    conflictsWith: conflictsWith ?? null,
    correlationId,
    receivedAt,
    sizeBytes: whole?.sizeBytes ?? bytes.length,
    body: bytes,
    digest: whole?.digest,
  };
}
