/** The work of one kind that a process holds: what it took, and how much of that it has not settled. */
export interface WorkInHand {
  /** Call it when work arrives. */
  took: (count: number) => void;
  /** Call it when work is settled: its outcome is committed, or it was given up for good. */
  settled: (count: number) => void;
  /** Call it when work is given back unsettled. */
  gaveBack: (count: number) => void;
}

export interface Stall {
  forMs: number;
  inHand: number;
}

/** Knows how long this process has held work without settling any. A process that is stuck looks healthy otherwise. */
export class WorkProgress {
  private readonly kinds: { inHand: number; sinceMs: number }[] = [];

  /** Adds a kind of work. Each kind is watched by itself, so that one cannot hide that another one is stuck. */
  watch(nowMs: () => number = () => performance.now()): WorkInHand {
    const kind = { inHand: 0, sinceMs: nowMs() };
    this.kinds.push(kind);
    return {
      took: (count) => {
        if (kind.inHand === 0) kind.sinceMs = nowMs();
        kind.inHand += count;
      },
      settled: (count) => {
        kind.inHand -= count;
        kind.sinceMs = nowMs();
      },
      gaveBack: (count) => {
        kind.inHand -= count;
      },
    };
  }

  /** The kind of work that has waited longest since the last one of it was settled; undefined if nothing is in hand. */
  longestStall(nowMs: number): Stall | undefined {
    const held = this.kinds.filter(({ inHand }) => inHand > 0);
    const stalls = held.map(({ inHand, sinceMs }) => ({ forMs: nowMs - sinceMs, inHand }));
    return stalls.sort((a, b) => b.forMs - a.forMs)[0];
  }
}
