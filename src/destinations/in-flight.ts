/** How long a delivery waits for a slot. Short, because it holds a place of its tenant meanwhile. */
const PATIENCE_MS = 100;

/**
 * Limits the deliveries in flight to one destination. A delivery without a slot waits for PATIENCE_MS. After one has
 * waited in vain, the others give up at once until a slot becomes free, so that a destination that hangs costs the
 * others next to nothing. The concurrency limit of the handler bounds how many can wait.
 */
export class InFlight {
  private running = 0;
  private readonly waiting = new Set<() => void>();
  private stuck = false;

  constructor(private readonly most: number) {}

  /** Resolves with true when there is a slot; then the caller must call `leave`. */
  async enter(): Promise<boolean> {
    if (this.running < this.most) {
      this.running += 1;
      return true;
    }
    if (this.stuck) return false;
    return new Promise((resolve) => {
      const enter = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(enter);
        this.stuck = true;
        resolve(false);
      }, PATIENCE_MS);
      this.waiting.add(enter);
    });
  }

  leave(): void {
    this.stuck = false;
    const [next] = this.waiting;
    if (!next) this.running -= 1;
    else {
      this.waiting.delete(next); // it gets the slot
      next();
    }
  }
}
