import type { DatabaseHistory } from '../db/history/database-history';
import { IdempotencyCache, type CommittedEvent } from './idempotency-cache';

/**
 * Uses a cache only for what the database vouches for (I2). A database that went back in time (a failover to a standby
 * without the last commits, a dump restored in place) has forgotten events that the cache remembers. So each fact names
 * the history in which it was read from the database, and before facts are used, the database is asked in which history
 * it is. That is one query for all duplicates that come together; new events cost none. While PostgreSQL does not answer,
 * nothing is known.
 */
export class ConfirmedCache extends IdempotencyCache {
  constructor(
    private readonly cache: IdempotencyCache,
    private readonly history: Pick<DatabaseHistory, 'confirmed'>,
  ) {
    super();
  }

  async lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = await this.cache.lookup(digests);
    if (found.size === 0) return found;
    const confirmed = await this.history.confirmed();
    return new Map([...found].filter(([, { history }]) => history === confirmed));
  }

  remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void> {
    return this.cache.remember(facts);
  }

  ping(): Promise<void> {
    return this.cache.ping();
  }

  close(): Promise<void> {
    return this.cache.close();
  }
}
