import { IdempotencyCache, type CommittedEvent } from './idempotency-cache';

interface Entry {
  committed: CommittedEvent;
  expiresAtMs: number;
}

/** In-process adapter: bounded, the longest remembered goes first. A Map keeps insertion order. */
export class MemoryCache extends IdempotencyCache {
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly ttlSeconds: number,
    private readonly maxEntries = 100_000,
  ) {
    super();
  }

  lookup(digests: readonly string[]): Promise<Map<string, CommittedEvent>> {
    const found = new Map<string, CommittedEvent>();
    for (const digest of digests) {
      const entry = this.entries.get(digest);
      if (entry && entry.expiresAtMs > Date.now()) found.set(digest, entry.committed);
    }
    return Promise.resolve(found);
  }

  remember(facts: readonly { digest: string; committed: CommittedEvent }[]): Promise<void> {
    const expiresAtMs = Date.now() + this.ttlSeconds * 1000;
    for (const { digest, committed } of facts) {
      this.entries.delete(digest);
      this.entries.set(digest, { committed, expiresAtMs });
    }
    for (const digest of this.entries.keys()) {
      if (this.entries.size <= this.maxEntries) break;
      this.entries.delete(digest);
    }
    return Promise.resolve();
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.entries.clear();
    return Promise.resolve();
  }
}
