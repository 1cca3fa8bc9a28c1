/** How long a delivery waits for a slot. It holds a place of its tenant meanwhile, so this is short. */
const PATIENCE_MS = 100;

/**
 * The deliveries that one destination has at a time. A delivery that finds no slot waits for a moment; once one has
 * waited in vain, the others do not even try until a slot becomes free, so that a destination which hangs costs its
 * neighbours next to nothing. Who may wait is bounded by the lane of the handler.
 */
export class InFlight {
  private running = 0;
  private readonly waiting = new Set<() => void>();
  private stuck = false;

  constructor(private readonly most: number) {}

  /** True when there is a slot, then `leave` must follow. */
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
      this.waiting.delete(next); // the slot goes on to it
      next();
    }
  }
}
