import type { Pool } from 'pg';
import { decideDuplicate, type KeyFact } from '../../../event/identity/decide-duplicate';
import type { PreparedEvent } from '../../../event/prepare-event';
import { committedFacts, digestsOf, foreseenResults, type IngestResult } from '../../../ingest/store/store-batch';

/** Maximum number of events that are looked up together. */
const MOST_LOOKED_UP = 500;

/**
 * Says what storing the events of rejections would lead to, in order. Stores nothing. The events of a rejection are
 * stored together or not at all, so those of a refused one take no keys.
 */
export class Foresight {
  /** The events that would be stored, by their keys: a later event may have the same key. */
  private readonly taken = new Map<string, KeyFact>();

  constructor(private readonly pool: Pool) {}

  /** Returns the results of each rejection. */
  async of(rejections: readonly { events: readonly PreparedEvent[] }[]): Promise<IngestResult[][]> {
    const events = rejections.flatMap((one) => one.events);
    const stored: (IngestResult | undefined)[] = [];
    for (const slice of slicesOf(events, MOST_LOOKED_UP)) stored.push(...(await foreseenResults(this.pool, slice)));
    let next = 0;
    return rejections.map((one) => this.ofOne(one.events, () => stored[next++]));
  }

  private ofOne(events: readonly PreparedEvent[], nextStored: () => IngestResult | undefined): IngestResult[] {
    const own: string[] = [];
    const results = events.map((prepared) => nextStored() ?? this.amongThese(prepared, own));
    if (results.some(({ kind }) => kind === 'rejected')) for (const digest of own) this.taken.delete(digest);
    return results;
  }

  /** @param own gets the keys that the event takes */
  private amongThese(prepared: PreparedEvent, own: string[]): IngestResult {
    const { keyDigest, eventIdDigest } = prepared;
    const byId = eventIdDigest === undefined ? undefined : this.taken.get(eventIdDigest);
    const decision = decideDuplicate(prepared, this.taken.get(keyDigest), byId);
    const committed = committedFacts(prepared, null);
    if (decision.kind === 'rejected') return decision;
    if (decision.kind === 'duplicate') return { kind: 'duplicate', of: committed, by: decision.by, layer: 'database' };
    for (const digest of digestsOf(prepared)) {
      this.taken.set(digest, committed);
      own.push(digest);
    }
    return { kind: 'accepted', committed };
  }
}

export function* slicesOf<T>(all: readonly T[], most: number): Generator<T[]> {
  for (let from = 0; from < all.length; from += most) yield all.slice(from, from + most);
}
