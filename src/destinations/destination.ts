import type { OperatorRules } from './operator/operator-rules';
import type { DeliveryFormat } from './render/delivery-format';

/** `key`: the events of one partition key are sent one after the other. */
export const ORDERINGS = ['none', 'key'] as const;
export type Ordering = (typeof ORDERINGS)[number];

/** What becomes of the later events of a key when one has failed for good. */
export const ON_POISON = ['block', 'skip'] as const;
export type OnPoison = (typeof ON_POISON)[number];

/** A tenant's HTTP endpoint for events, as it is stored. */
export interface Destination extends OperatorRules {
  id: string;
  tenantId: string;
  /** What the tenant calls it. */
  uid: string | null;
  url: string;
  eventTypes: readonly string[];
  enabled: boolean;
  /** Why StreamForge disabled it; null when a person did, or when it is enabled. */
  disabledReason: string | null;
  /** Null when it is enabled, or when it was disabled by a release that did not record the time. */
  disabledAt: string | null;
  /** Null: it is not paused. */
  pausedAt: string | null;
  description: string;
  /** What an event must look like, besides its type. Null: anything. */
  filter: object | null;
  /** JSONata over the normalised event. Null: the event as it is. */
  transform: string | null;
  format: DeliveryFormat;
  /** Waits between the tries of a delivery, in seconds. Null: those of the installation. */
  retrySchedule: readonly number[] | null;
  /** Null: as many as `maxInFlight` allows. */
  ratePerSecond: number | null;
  timeoutMs: number;
  /** Maximum number of deliveries in flight, of the whole installation. */
  maxInFlight: number;
  ordering: Ordering;
  /** Says nothing unless it is ordered. */
  onPoison: OnPoison;
  /** Whether events older than what was delivered of their key are skipped. Only if it is ordered. */
  latestOnly: boolean;
  /** Every change raises it. */
  revision: number;
  createdAt: string;
  updatedAt: string;
}

/** A destination with its secrets, still sealed. */
export interface SealedDestination extends Destination {
  secret: Buffer;
  previousSecret: Buffer | null;
  /** Until then, deliveries are also signed with the previous secret. */
  previousSecretUntil: string | null;
  /** Static headers and credentials (secrets/sealed-options.ts). */
  headers: Buffer | null;
  auth: Buffer | null;
}

export const DESTINATION_LIMITS = {
  /** Bounds the number of deliveries of one event. */
  ofTenant: 50,
  /** Every worker holds all destinations in memory. */
  ofInstallation: 10_000,
  timeoutMs: { min: 100, max: 30_000, default: 10_000 },
  maxInFlight: { min: 1, max: 256, default: 8 },
  retryWaits: { most: 50, maxSeconds: 7 * 86_400 },
  ratePerSecond: { min: 1, max: 10_000 },
} as const;
