import { MOST_EVENT_BYTES } from '../load/broken-record';

export const MOST_ATTEMPTS = 8;
/** Wait after each try of a delivery: one fewer than there are tries. */
export const DELIVERY_WAITS_SECONDS: readonly number[] = [0.2, 0.5, 1, 1, 1, 1, 1];
/** What the receiver asks for together with 429. */
export const RETRY_AFTER_SECONDS = 1;
export const GRACE_MS = 10_000;
/** Longer than a balancer goes on sending (faults/balancer.ts). */
const DRAIN_MS = 3_000;
/** RESPONSE_STALL_TIMEOUT_MS: what a client does not read ends its connection after this. */
export const STALL_MS = 6_000;
/** Later than the end of any run. */
const NEVER_SECONDS = 86_400;
const SOON_SECONDS = 4;

/** Short leases and waits, so that recovery happens within the run. */
const QUICK = {
  OUTBOX_BATCH_SIZE: '50',
  OUTBOX_INFLIGHT_LEASE_SECONDS: '2',
  PUBLISH_TIMEOUT_MS: '1000',
  RABBITMQ_PREFETCH: '20',
  WORKER_BATCH_SIZE: '20',
  RETRY_BACKOFF_MS: '200,500,1000',
  MAX_RETRY_ATTEMPTS: String(MOST_ATTEMPTS),
  DELIVERY_RETRY_SCHEDULE_SECONDS: DELIVERY_WAITS_SECONDS.join(),
  MAX_EVENT_BYTES: String(MOST_EVENT_BYTES),
  EVENT_RETENTION_DAYS: '7',
  SHUTDOWN_GRACE_MS: String(GRACE_MS),
  SHUTDOWN_DRAIN_MS: String(DRAIN_MS),
  RESPONSE_STALL_TIMEOUT_MS: String(STALL_MS),
  DESTINATIONS_ALLOW_PRIVATE: 'true',
  DLQ_COPY: 'true', // the oracle compares the copies with the dead letters
};

/** @param reconciles if false, the reconciler dispatches nothing again within the run */
export function settingsOf({ reconciles }: { reconciles: boolean }): Record<string, string> {
  return { ...QUICK, RECONCILE_AFTER_SECONDS: String(reconciles ? SOON_SECONDS : NEVER_SECONDS) };
}
