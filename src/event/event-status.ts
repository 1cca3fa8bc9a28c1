/**
 * The public status of an event. The view `event_status` (see the migrations) derives it, as `eventStatusOf` does.
 *
 *   RECEIVED ──▶ PUBLISHED ──▶ DELIVERING ──▶ COMPLETED
 *                    │  ▲          │  ▲
 *                    ▼  │ due      ▼  │ due
 *                 RETRYING ──▶ DLQ ──▶ DISCARDED
 *
 * An event without deliveries goes from PUBLISHED to COMPLETED. RETRYING, DLQ and DISCARDED come from the handlers, or
 * from the deliveries once the handlers are done. A retry or a backfill takes the event back to DELIVERING.
 */
export const EVENT_STATUSES = [
  'RECEIVED',
  'PUBLISHED',
  'DELIVERING',
  'COMPLETED',
  'RETRYING',
  'DLQ',
  'DISCARDED',
] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/** What the newest delivery to one destination contributes to the status of its event. */
export interface DeliveryPart {
  /** As stored. */
  status: 'OPEN' | 'DELIVERED' | 'FAILED' | 'DISCARDED' | 'SKIPPED';
  attempts: number;
  /** A worker holds its lease, and the lease has not run out. */
  leased: boolean;
  /** Its time has come. */
  due: boolean;
  /** Its destination is paused. */
  paused: boolean;
  /** It waits for others of its key. */
  parked?: boolean;
}

/** What decides the status of an event. */
export interface EventParts {
  /** The broker has confirmed the newest dispatch. */
  published: boolean;
  /** `event_state.status`; null for an event without a state. */
  state: 'DISPATCHED' | 'RETRYING' | 'COMPLETED' | 'DLQ' | 'DISCARDED' | null;
  /** The handlers have succeeded in the newest generation. */
  handlersDone: boolean;
  /** The newest delivery to each destination. */
  deliveries: readonly DeliveryPart[];
}

/** The first rule that holds decides. A property test compares this function with the view. */
export function eventStatusOf({ published, state, handlersDone, deliveries }: EventParts): EventStatus {
  if (handlersDone) return statusOfDeliveries(deliveries);
  if (state === 'RETRYING' || state === 'DLQ' || state === 'DISCARDED') return state;
  return published ? 'PUBLISHED' : 'RECEIVED';
}

function statusOfDeliveries(deliveries: readonly DeliveryPart[]): EventStatus {
  const open = deliveries.filter(({ status }) => status === 'OPEN');
  if (open.some(isActive)) return 'DELIVERING';
  if (open.length > 0) return open.every(({ paused, parked }) => paused || parked) ? 'DELIVERING' : 'RETRYING';
  if (deliveries.some(({ status }) => status === 'FAILED')) return 'DLQ';
  if (deliveries.some(({ status }) => status === 'DISCARDED')) return 'DISCARDED';
  return 'COMPLETED';
}

/** Under way, due, or not tried yet. Only a delivery that has been tried waits for its next try. */
const isActive = ({ attempts, leased, due, paused, parked }: DeliveryPart): boolean =>
  !parked && (leased || (!paused && (due || attempts === 0)));

export const ATTEMPT_STATUSES = ['SUCCESS', 'RETRY', 'DLQ'] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** Why an attempt ended as it did, or why an event was postponed. The codes are stable: clients branch on them. */
export const REASON_CODES = [
  'PROCESSED', // the only code of a success
  'HTTP_3XX', // redirects are not followed
  'HTTP_4XX', // rejected by the receiver
  'HTTP_429', // the receiver limits the rate
  'HTTP_5XX',
  'TIMEOUT', // no response within the deadline of the handler or the destination
  'CONNECTION_FAILED',
  'INVALID_RESPONSE', // the destination sent something that is no HTTP response, such as the status 000
  'ADDRESS_REFUSED', // the host name resolves to an address that destinations may not use
  'AUTH_FAILED', // the destination's token endpoint gave no token
  'TRANSFORM_FAILED', // the destination's transform failed or yielded nothing
  'DESTINATION_DISABLED', // the delivery was closed, because its destination was disabled
  'DESTINATION_DELETED', // likewise, because its destination was deleted
  'SUPERSEDED', // the destination is latestOnly, and was delivered a later event of the key
  'ERASED', // likewise, because the payload of its event was erased
  'INVALID_PAYLOAD', // the content can never be processed, or PostgreSQL can never store it
  'HANDLER_ERROR', // an error that no rule classifies
  'RETRY_EXHAUSTED', // stored by earlier versions after the last attempt; a filter for it finds what is `exhausted`
  'WORKER_CRASH', // the worker died three times while it ran this event alone
  'CIRCUIT_OPEN', // postponed by a handler; earlier versions: the receiver failed too often recently
  'CONCURRENCY_LIMIT', // postponed: too many calls of a handler, or of the tenant to it, are running
  'DESTINATION_BUSY', // stored by earlier versions: the destination had its maximum of deliveries in flight
  'TENANT_FAILING', // postponed: other events of the tenant failed in the same batch
  'LANE_FULL', // replaced by the last three; attempts stored by earlier versions keep it
] as const;
export type ReasonCode = (typeof REASON_CODES)[number];

/** The codes that replaced LANE_FULL. A filter for LANE_FULL finds these as well. */
export const REASONS_OF_LANE_FULL = [
  'CONCURRENCY_LIMIT',
  'DESTINATION_BUSY',
  'TENANT_FAILING',
] as const satisfies readonly ReasonCode[];
