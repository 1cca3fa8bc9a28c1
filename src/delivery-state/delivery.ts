/** Identifies a delivery. `generation` counts the deliveries of one event to one destination, from 1. */
export interface DeliveryKey {
  eventId: string;
  destinationId: string;
  generation: number;
}

/** What `deliveries.status` may hold. */
export const STORED_DELIVERY_STATUSES = ['OPEN', 'DELIVERED', 'FAILED', 'DISCARDED', 'SKIPPED'] as const;

/**
 * The public status of a delivery. The view `delivery_status` (see the migrations) derives it, as `deliveryStatusOf` does.
 * An open delivery is PARKED while it waits for others of its key, IN_FLIGHT while a worker holds its lease, RETRYING once
 * it has been tried, and PENDING before.
 */
export const DELIVERY_STATUSES = [
  'PENDING',
  'IN_FLIGHT',
  'RETRYING',
  'PARKED',
  'DELIVERED',
  'FAILED',
  'DISCARDED',
  'SKIPPED',
] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/**
 * Derives the public status. `leased`: a worker holds the lease, and the lease has not run out. `parked`: it waits for others
 * of its key.
 */
export function deliveryStatusOf(delivery: {
  status: (typeof STORED_DELIVERY_STATUSES)[number];
  attempts: number;
  leased: boolean;
  parked?: boolean;
}): DeliveryStatus {
  const { status, attempts, leased, parked = false } = delivery;
  if (status !== 'OPEN') return status;
  if (parked) return 'PARKED';
  if (leased) return 'IN_FLIGHT';
  return attempts > 0 ? 'RETRYING' : 'PENDING';
}

/** Where an event stands among those of its key (docs/ordering.md). */
export interface OrderPlace {
  /** Hash of the partition key; a bigint, as text. */
  orderKey: string;
  /** Events of a key are in the order of their positions; a bigint, as text. */
  position: string;
  occurredAt: string;
}

/** A delivery that a settle transaction is about to record. */
export interface PlannedDelivery {
  eventId: string;
  destinationId: string;
  tenantId: string;
  type: string;
  /** Generation of the event, not of the delivery. */
  eventGeneration: number;
  /** Of the event; undefined for the event as it was sent. */
  revision?: number | undefined;
  /** This process has a free place for it and can send it right after the commit. */
  reserved: boolean;
  /** Undefined if the destination is not ordered. */
  place?: OrderPlace | undefined;
  /** Not sent before; ms since 1970. Never of one that is reserved. Undefined: it is due at once. */
  heldUntilMs?: number | undefined;
}

/** What became of a planned delivery. `leased`: the caller holds the lease and must send it. */
export interface RecordedDelivery extends DeliveryKey {
  outcome: 'leased' | 'queued' | 'parked' | 'settled';
}

/** The right to send deliveries. The token is the only proof (I4), so every claim needs a new one. */
export interface DeliveryLease {
  token: string;
  seconds: number;
  /** The lease began at this time or later, in ms of elapsedMs(). */
  sinceMs: number;
}
