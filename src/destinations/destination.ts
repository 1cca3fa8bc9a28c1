/** A tenant's HTTP endpoint that receives events, as it is stored. */
export interface Destination {
  id: string;
  tenantId: string;
  url: string;
  eventTypes: readonly string[];
  enabled: boolean;
  /** Why StreamForge switched it off; null when a person did, or it is enabled. */
  disabledReason: string | null;
  description: string;
  timeoutMs: number;
  /** Deliveries at a time, of each worker process. */
  maxInFlight: number;
  /** Raised by every change. */
  revision: number;
  createdAt: string;
  updatedAt: string;
}

/** With its secrets, still sealed. */
export interface SealedDestination extends Destination {
  secret: Buffer;
  previousSecret: Buffer | null;
  /** Until when deliveries are signed with the previous secret too. */
  previousSecretUntil: string | null;
}

export const DESTINATION_LIMITS = {
  /** An event of a tenant goes to so many at once at most. */
  ofTenant: 50,
  /** Every worker holds all enabled ones in memory. */
  ofInstallation: 10_000,
  timeoutMs: { min: 100, max: 30_000, default: 10_000 },
  maxInFlight: { min: 1, max: 256, default: 8 },
} as const;
