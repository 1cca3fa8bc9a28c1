import type { Entry } from './journal';

/** An event as a client reads it back over HTTP. */
export interface ReadBack {
  httpStatus: number;
  id: string;
  status: string;
  payloadText: string;
}

/** An event as the database holds it. */
export interface StoredEvent {
  id: string;
  tenant: string;
  name: string;
  status: string;
  /** 1, and one more for each time it was reprocessed. */
  generation: number;
  /** How often replays sent it. */
  replayed: number;
  /** The generation of each successful attempt. */
  successes: number[];
  failedAttempts: number;
}

/** All that the oracle decides from, gathered when everything was at rest, or had every chance to come to rest. */
export interface Evidence {
  journal: readonly Entry[];
  /** What was sent under each name. */
  payloads: ReadonlyMap<string, string>;
  /** By name; every event that was ever acknowledged was asked for. */
  readBack: ReadonlyMap<string, ReadBack>;
  stored: readonly StoredEvent[];
  /** What the built-in usage meter counted, by tenant: the effect that must happen once. */
  usage: ReadonlyMap<string, number>;
  replays: readonly { id: string; status: string }[];
  outbox: { open: number; failed: number };
  waitingRetries: number;
  deadLetters: number;
  /** The tenant whose events an HTTP destination gets. */
  deliveredTenant: string;
}
