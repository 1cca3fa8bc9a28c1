import type { LookupAddress } from 'node:dns';

/** Bounds of the time for which an address is remembered, whatever its TTL. In seconds. */
const LEAST_SECONDS = 5;
const MOST_SECONDS = 30;
const MOST_NAMES = 4_096;

interface Entry {
  addresses: LookupAddress[];
  untilMs: number;
}

/** Remembers addresses for their TTL, within 5 to 30 seconds. Failures are not remembered. */
export class NameCache {
  private readonly entries = new Map<string, Entry>();

  get(name: string, nowMs: number = performance.now()): LookupAddress[] | undefined {
    const entry = this.entries.get(name);
    if (!entry) return undefined;
    if (nowMs < entry.untilMs) return entry.addresses;
    this.entries.delete(name);
    return undefined;
  }

  set(name: string, addresses: LookupAddress[], ttlSeconds: number, nowMs: number = performance.now()): void {
    const seconds = Math.min(Math.max(ttlSeconds, LEAST_SECONDS), MOST_SECONDS);
    this.entries.delete(name);
    if (this.entries.size >= MOST_NAMES) this.forgetOldest();
    this.entries.set(name, { addresses, untilMs: nowMs + seconds * 1_000 });
  }

  get size(): number {
    return this.entries.size;
  }

  private forgetOldest(): void {
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}
