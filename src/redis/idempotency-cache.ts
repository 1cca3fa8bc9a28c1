import type { KeyFact } from '../event/identity/decide-duplicate';

/** The fields of a committed event that the response to a duplicate needs. */
export interface CommittedEvent extends KeyFact {
  eventId: string;
  /** RFC 3339, UTC, milliseconds. */
  receivedAt: string;
  correlationId: string;
  hash: string;
  /** The history of the database in which it was found committed (db/history/history.queries.ts); null if that is not known. */
  history: string | null;
}

/**
 * The first layer of idempotency: remembers which keys this database has committed. It only repeats what PostgreSQL
 * decided (I2), and ConfirmedCache repeats it only in the history in which that was decided. Losing it costs latency and never changes a response. It holds no reservations: after a crash between
 * reservation and commit, every retry would be a duplicate of an event that does not exist.
 */
export abstract class IdempotencyCache {
  /** Returns the known events by digest. Never throws: when the cache fails, it returns nothing. */
  abstract lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>>;

  /** Call this only after the commit. Never throws: PostgreSQL detects duplicates of facts that could not be stored. */
  abstract remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void>;

  /** Throws when the cache cannot be reached. Used by the readiness check. */
  abstract ping(): Promise<void>;

  abstract close(): Promise<void>;
}
