import type { KeyFact } from '../event/decide-duplicate';

/** A committed event as a duplicate's answer needs it. */
export interface CommittedEvent extends KeyFact {
  eventId: string;
  /** RFC 3339, UTC, milliseconds. */
  receivedAt: string;
  correlationId: string;
  hash: string;
}

/**
 * The first layer of idempotency: remembers which keys this database has committed. It only ever repeats PostgreSQL
 * (I2); losing it costs latency, never an answer. It holds no reservations: a crash between reserve and commit would
 * turn every later retry into the duplicate of an event that does not exist.
 */
export abstract class IdempotencyCache {
  /** What is remembered of these digests. Never throws: a cache that cannot answer knows nothing. */
  abstract lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>>;

  /** Call only after the commit. Never throws; what could not be remembered is found by PostgreSQL next time. */
  abstract remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void>;

  /** Throws when the cache cannot be reached. For readiness. */
  abstract ping(): Promise<void>;

  abstract close(): Promise<void>;
}
