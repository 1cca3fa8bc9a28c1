/** Failing items of one group at which the rest of that group is given up, so that it does not delay others (I10). */
const MOST_OF_ONE_GROUP = 10;
/** Failing items of all groups at which every group with a failing item is given up. */
const MOST_OF_ALL = 40;

export interface Search<T> {
  /** Tries a part. If it fails, undoes its effects and resolves with the error. */
  attempt: (part: readonly T[]) => Promise<unknown>;
  /** Called for an item that failed by itself. */
  markFailed: (item: T, error: unknown) => void;
  /** Called for an item that was not tried by itself, because its group was given up. */
  giveUp: (item: T) => void;
}

/**
 * Finds failing items by halving the parts that fail. Items of one group (a tenant) stay adjacent. A group that fails
 * as a whole therefore adds few calls for the other groups. Finding one failing item in n takes about 2 log2 n calls.
 * MOST_OF_ONE_GROUP and MOST_OF_ALL limit the number of calls.
 */
export class Isolation<T> {
  private readonly found = new Map<string, number>();
  private total = 0;

  constructor(private readonly groupOf: (item: T) => string) {}

  async find(items: readonly T[], search: Search<T>): Promise<void> {
    const groups = new Map<string, T[]>();
    for (const item of items) {
      const group = this.groupOf(item);
      const others = groups.get(group);
      if (others) others.push(item);
      else groups.set(group, [item]);
    }
    await this.findIn([...groups.values()].flat(), search);
  }

  private async findIn(items: readonly T[], search: Search<T>): Promise<void> {
    const open = items.filter((item) => !this.isGivenUp(item));
    for (const item of items) if (this.isGivenUp(item)) search.giveUp(item);
    if (open.length === 0) return;
    const error = await search.attempt(open);
    if (error === undefined) return;
    const [only] = open;
    if (open.length === 1 && only !== undefined) {
      this.count(only);
      search.markFailed(only, error);
      return;
    }
    const half = Math.ceil(open.length / 2);
    await this.findIn(open.slice(0, half), search);
    await this.findIn(open.slice(half), search);
  }

  private count(item: T): void {
    const group = this.groupOf(item);
    this.found.set(group, (this.found.get(group) ?? 0) + 1);
    this.total += 1;
  }

  /** A group without a failure is never given up, even if many others have failed. */
  private isGivenUp(item: T): boolean {
    const found = this.found.get(this.groupOf(item)) ?? 0;
    return found >= MOST_OF_ONE_GROUP || (found > 0 && this.total >= MOST_OF_ALL);
  }
}
