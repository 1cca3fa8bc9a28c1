/** A round that has run for this long no longer holds up the next one. */
const HOLDS_UP_MS = 20;

export interface RoundLimits {
  /** Items of a round. A single call may exceed it. */
  most: number;
  /** How long the first call of a round waits for others, in ms. Default: only until the end of the turn. */
  gatherMs?: number;
}

/**
 * Gathers calls: those that come while a round is under way share the next one, so that a busy process sends few large
 * commands instead of many small ones. It never waits longer than HOLDS_UP_MS for another round, even if that one gets no
 * answer.
 */
export class SharedRounds<Item, Result> {
  private running = 0;
  private waiting: Item[] = [];
  private next: Promise<Result> | undefined;
  private start: (() => void) | undefined;

  /** @param run never rejects */
  constructor(
    private readonly run: (items: readonly Item[]) => Promise<Result>,
    private readonly limits: RoundLimits,
  ) {}

  /** Returns the result of the round that has these items. */
  add(items: readonly Item[]): Promise<Result> {
    if (this.waiting.length > 0 && this.waiting.length + items.length > this.limits.most) this.begin();
    this.waiting.push(...items);
    if (!this.next) {
      const { promise, resolve } = Promise.withResolvers<Result>();
      this.next = promise;
      this.start = () => void this.round().then(resolve);
      if (this.running === 0) this.beginSoon();
    }
    return this.next;
  }

  private beginSoon(): void {
    const { gatherMs = 0 } = this.limits;
    if (gatherMs === 0) queueMicrotask(() => this.begin());
    else setTimeout(() => this.begin(), gatherMs);
  }

  private begin(): void {
    this.start?.();
  }

  private async round(): Promise<Result> {
    const items = this.waiting;
    this.waiting = [];
    this.next = undefined;
    this.start = undefined;
    this.running += 1;
    let holds = true;
    const letGo = (): void => {
      if (!holds) return;
      holds = false;
      clearTimeout(timer);
      this.running -= 1;
      if (this.running === 0 && this.next) this.beginSoon();
    };
    const timer = setTimeout(letGo, HOLDS_UP_MS);
    try {
      return await this.run(items);
    } finally {
      letGo();
    }
  }
}
