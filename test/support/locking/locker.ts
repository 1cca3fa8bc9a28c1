import type { Pool } from 'pg';

/** The tables of which a statement locks several rows. */
export type LockedTable =
  | 'event_state'
  | 'outbox'
  | 'crash_trials'
  | 'usage_daily'
  | 'tenant_rests'
  | 'admin_audit'
  | 'idempotency_keys'
  | 'processing_attempts'
  | 'deliveries'
  | 'delivery_queue'
  | 'ordered_keys'
  | 'destination_failures'
  | 'rejections';

/** What a statement or a transaction under test works on. Two that run at once get the same rows in opposite order. */
export interface LockedRows {
  /** Ids of the events that have rows in the tables of event states. */
  ids: readonly string[];
  /** Ids of the outbox entries (bigint as text). */
  entries: readonly string[];
  /** Two running replays that hold these events in turn. */
  replays: readonly string[];
}

/** A statement or a transaction that locks several rows of a table. */
export interface Locker {
  /** The name of the query function, or of the code whose transaction this is. */
  name: string;
  tables: readonly LockedTable[];
  /** Runs in a transaction of its own. */
  run: (pool: Pool, rows: LockedRows) => Promise<unknown>;
}
