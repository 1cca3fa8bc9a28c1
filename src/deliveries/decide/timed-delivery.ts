import type { LeasedDelivery } from '../../delivery-state/claim-deliveries.queries';

/** For settling an attempt after its request has ended. */
export const SETTLING_MS = 5_000;

/** A leased delivery, when its lease began, and when it ends at the earliest (in ms of elapsedMs()). */
export type TimedDelivery = LeasedDelivery & { leasedAtMs: number; leaseEndsMs: number };

/** A request that starts by then has ended, at the latest by its timeout, while there is still time to settle it. */
export const lastStartMs = (leaseEndsMs: number, timeoutMs: number): number => leaseEndsMs - timeoutMs - SETTLING_MS;
