/** Ids that are remembered at most. Beyond it, an event may be shown twice, and clients know events by their ids. */
const MOST_IDS = 20_000;

/**
 * The ids of events that were shown. Ids are made at receipt, and events are committed in another order, so each look
 * begins some seconds before the last one ended.
 */
export class SeenIds {
  private readonly seen = new Set<string>();

  /** Returns the ids that are not remembered. */
  fresh(ids: readonly string[]): string[] {
    return ids.filter((id) => !this.seen.has(id));
  }

  /** Remembers ids, after their events were shown, and forgets those below `floor`. */
  remember(ids: readonly string[], floor: string): void {
    for (const id of this.seen) if (id < floor) this.seen.delete(id);
    for (const id of ids) this.seen.add(id);
    for (const id of this.seen) {
      if (this.seen.size <= MOST_IDS) break;
      this.seen.delete(id); // the one that was added first
    }
  }

  clear(): void {
    this.seen.clear();
  }
}
