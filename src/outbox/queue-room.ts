import { QUEUES, type Broker } from '../broker/broker';

/** Messages that may wait for each worker process beside its prefetch: enough work until the next claim is published. */
const MOST_PER_WORKER = 250;
/** While nobody works on the queue, publishing goes on, but bounds what the broker has to hold. */
const MOST_WITHOUT_WORKERS = 200_000;
/** A worker that restarts comes back within this time. What was published meanwhile would be ahead of fresh events. */
const WORKERS_RETURN_MS = 60_000;
/** After a look that found the queue full. */
const FULL_MS = 20;
/** A smaller claim costs more than it gains. */
const LEAST_PLACES = 125;

/**
 * Keeps what waits in `events.main` short. The broker hands messages out in the order in which they were published, and
 * only claims are fair among tenants. So a backlog waits in the outbox, where a fresh event of another tenant passes it.
 */
export class QueueRoom {
  /** What waits, as far as this process knows, and what its claims may add. */
  private waiting = 0;
  /** Before the first look, as for one worker. */
  private most = MOST_PER_WORKER;
  /** Asked more often then: with the first worker that comes, far less may wait. */
  private isUnattended = false;
  private takenSinceLook = 0;
  private attendedMs = -Infinity;
  private fullUntilMs = -Infinity;

  constructor(private readonly broker: Broker) {}

  /** Takes places for a claim. Returns their number, 0 while there are none. Asks the broker only if it could matter. */
  async take(limit: number, nowMs: number): Promise<number> {
    if (nowMs < this.fullUntilMs) return 0;
    if (this.waiting >= this.most || (this.isUnattended && this.takenSinceLook >= MOST_PER_WORKER)) {
      const { messages, consumers } = await this.broker.backlog(QUEUES.main);
      this.waiting = messages;
      this.takenSinceLook = 0;
      if (consumers > 0) this.attendedMs = nowMs;
      this.isUnattended = consumers === 0 && nowMs - this.attendedMs > WORKERS_RETURN_MS;
      if (consumers > 0) this.most = consumers * MOST_PER_WORKER;
      else if (this.isUnattended) this.most = MOST_WITHOUT_WORKERS;
    }
    if (this.waiting >= this.most) {
      this.fullUntilMs = nowMs + FULL_MS;
      return 0;
    }
    const places = Math.min(limit, Math.max(LEAST_PLACES, this.most - this.waiting));
    this.waiting += places;
    this.takenSinceLook += places;
    return places;
  }

  /** Gives back places that a claim did not need. */
  giveBack(places: number): void {
    this.waiting = Math.max(0, this.waiting - places);
    this.takenSinceLook -= places;
  }
}
