/** Most events, or rejections, that one transaction erases. Workers that settle one of the events wait for it. */
export const LARGEST_STEP = 200;

/**
 * How much each erasure does in one step. After a failure it does half as much, down to one event, so that what cannot be
 * erased at the moment keeps little else from it. After a success it does twice as much again.
 */
export class StepSizes {
  private readonly reduced = new Map<string, number>();

  of(id: string): number {
    return this.reduced.get(id) ?? LARGEST_STEP;
  }

  /** Returns whether this is the first failure since a success with the full size. */
  failed(id: string): boolean {
    const isFirst = !this.reduced.has(id);
    this.reduced.set(id, Math.max(1, Math.floor(this.of(id) / 2)));
    return isFirst;
  }

  succeeded(id: string): void {
    const size = this.of(id) * 2;
    if (size < LARGEST_STEP) this.reduced.set(id, size);
    else this.reduced.delete(id);
  }

  /** Called for an erasure that has ended or waits, or that another process carries out. */
  forget(id: string): void {
    this.reduced.delete(id);
  }

  /** Called when no erasure runs: those that were cancelled are not forgotten one by one. */
  forgetAll(): void {
    this.reduced.clear();
  }
}
