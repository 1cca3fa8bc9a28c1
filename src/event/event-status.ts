/**
 * Where an event stands. One place derives it: the view `event_status` (migrations), from facts that other tables hold.
 *
 *   RECEIVED ──▶ PUBLISHED ──▶ COMPLETED
 *                    │  ▲
 *                    ▼  │ due
 *                 RETRYING ──▶ DLQ ──▶ DISCARDED
 */
export const EVENT_STATUSES = ['RECEIVED', 'PUBLISHED', 'COMPLETED', 'RETRYING', 'DLQ', 'DISCARDED'] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

export const ATTEMPT_STATUSES = ['SUCCESS', 'RETRY', 'DLQ'] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** Stable words for why an attempt ended as it did, or why an event was postponed. Clients branch on them. */
export const REASON_CODES = [
  'PROCESSED', // the only one of a success
  'HTTP_3XX', // redirects are not followed
  'HTTP_4XX', // refused by the other side
  'HTTP_429', // the other side asks for patience
  'HTTP_5XX',
  'TIMEOUT', // no answer within the handler's own deadline
  'CONNECTION_FAILED',
  'ADDRESS_REFUSED', // the name leads to an address that destinations may not have
  'INVALID_PAYLOAD', // the content can never be processed, or PostgreSQL can never hold it
  'HANDLER_ERROR', // what nobody classified
  'RETRY_EXHAUSTED', // MAX_RETRY_ATTEMPTS reached; the message begins with the last reason
  'WORKER_CRASH', // the worker died three times while it ran this event alone
  'CIRCUIT_OPEN', // postponed: the other side failed too often lately
  'CONCURRENCY_LIMIT', // postponed: too many calls of a handler, or of the tenant to it, are running
  'DESTINATION_BUSY', // postponed: the destination has its most deliveries in flight
  'TENANT_FAILING', // postponed: other events of the tenant fail in the same batch
  'LANE_FULL', // until this version, for each of the last three; attempts that were stored then keep it
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** What LANE_FULL was split into. A filter for LANE_FULL finds these as well. */
export const REASONS_OF_LANE_FULL = [
  'CONCURRENCY_LIMIT',
  'DESTINATION_BUSY',
  'TENANT_FAILING',
] as const satisfies readonly ReasonCode[];
