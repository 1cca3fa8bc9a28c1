import { Injectable } from '@nestjs/common';
import type { FailingDestination } from '../delivery-state/destination-failures.queries';
import type { DueDestination } from '../delivery-state/queue-outlook.queries';
import type { SealedDestination } from '../destinations/destination';
import { DeliveryLine } from './delivery-line';
import { WorkerShares } from './worker-shares';

const SHARE_EVERY_MS = 500;

/** The lines of all destinations that this process has had anything to do for. Bounded by the limit on destinations. */
@Injectable()
export class DeliveryLines {
  private readonly lines = new Map<string, DeliveryLine>();
  private sharedMs = -Infinity;

  constructor(private readonly shares: WorkerShares) {}

  of(destination: SealedDestination): DeliveryLine {
    const known = this.lines.get(destination.id);
    if (known) {
      known.change(destination);
      return known;
    }
    const line = new DeliveryLine(destination);
    line.share(this.shares.place(performance.now()));
    this.lines.set(destination.id, line);
    return line;
  }

  get(destinationId: string): DeliveryLine | undefined {
    return this.lines.get(destinationId);
  }

  all(): Iterable<DeliveryLine> {
    return this.lines.values();
  }

  /** Applies a new directory. */
  changed(directory: ReadonlyMap<string, SealedDestination>): void {
    for (const [id, line] of this.lines) line.change(directory.get(id));
  }

  /** Applies the current shares of this process. They are 0 while PostgreSQL cannot be reached. */
  share(nowMs: number): void {
    if (nowMs - this.sharedMs < SHARE_EVERY_MS) return;
    this.sharedMs = nowMs;
    const place = this.shares.place(nowMs);
    for (const line of this.lines.values()) line.share(place);
  }

  async beat(): Promise<void> {
    await this.shares.beat();
    this.sharedMs = -Infinity;
    this.share(performance.now());
  }

  leave(): Promise<void> {
    return this.shares.leave();
  }

  /** Applies what a sweep that began at `readMs` has read. Returns the number of open circuits. */
  swept(
    directory: ReadonlyMap<string, SealedDestination>,
    read: { due: readonly DueDestination[]; failing: readonly FailingDestination[] },
    readMs: number,
  ): number {
    const due = new Map(read.due.map((one) => [one.destinationId, one.dueInSeconds]));
    const failing = new Map(read.failing.map((one) => [one.destinationId, one]));
    for (const id of [...due.keys(), ...failing.keys()]) {
      const destination = directory.get(id);
      if (destination) this.of(destination);
    }
    for (const [id, line] of this.lines) {
      line.change(directory.get(id));
      if (!directory.has(id) && line.taken === 0 && line.ready.length === 0) this.lines.delete(id);
      else line.swept(due.get(id), failing.get(id), readMs);
    }
    return [...this.lines.values()].filter(({ isOpen }) => isOpen).length;
  }
}
