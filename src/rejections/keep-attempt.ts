import { DeadlineExceeded, withinDeadline } from '../runtime/deadline';
import type { NewRejection } from './rejection';
import type { RejectionStore } from './rejection-store';

/** Rejections on their way into the database, whose producer is told whether they are kept. */
export class KeepAttempt {
  /** Whether each rejection is known to be kept, in the order in which they were added. */
  readonly kept: boolean[] = [];
  private open = 0;
  /** Settles when none is open; a new one for those that are added after that. */
  private settled = Promise.withResolvers<void>();

  constructor(private readonly store: Pick<RejectionStore, 'tryKeep'>) {}

  add(rejection: NewRejection): void {
    const index = this.kept.push(false) - 1;
    const isQueued = this.store.tryKeep(rejection, (isKept) => {
      this.kept[index] = isKept;
      if (--this.open === 0) this.settled.resolve();
    });
    if (isQueued && this.open++ === 0) this.settled = Promise.withResolvers();
  }

  /** Call it after the last rejection was added. */
  get isSettled(): boolean {
    return this.open === 0;
  }

  /** Returns false when the time ran out. */
  async settledWithin(ms: number): Promise<boolean> {
    if (this.isSettled) return true;
    try {
      await withinDeadline(ms, this.settled.promise);
      return true;
    } catch (error) {
      if (error instanceof DeadlineExceeded) return false;
      throw error;
    }
  }
}
