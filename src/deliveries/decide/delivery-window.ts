const FIRST = 4;

/**
 * How many requests to one destination may run at a time: a few at first, one more with every success, half as many after
 * a timeout. A destination that hangs from the start is therefore sent few requests, and one that is fast soon has all
 * of its places.
 */
export class DeliveryWindow {
  private size = FIRST;

  /** @param most this process's share of the destination's maxInFlight */
  places(most: number): number {
    return Math.min(this.size, most);
  }

  succeeded(most: number): void {
    if (this.size < most) this.size += 1;
  }

  timedOut(): void {
    this.size = Math.max(1, Math.floor(this.size / 2));
  }
}
