import type { CircuitEffect, FailingDestination } from '../delivery-state/destination-failures.queries';
import type { SealedDestination } from '../destinations/destination';
import type { Health } from './decide/classify-answer';
import { DeliveryPace } from './decide/delivery-pace';
import { DeliveryWindow } from './decide/delivery-window';
import { FailureWeight } from './decide/failure-weight';
import { shareOf, shareOfRate } from './decide/share';
import type { TimedDelivery } from './decide/timed-delivery';
import type { WorkerPlace } from './worker-shares';

/** Deliveries that are leased before a place is free, as seconds of the rate of successes. */
const AHEAD_SECONDS = 0.25;
const MOST_AHEAD = 64;
/** Deliveries are leased this long before their turn. */
const TURN_AHEAD_SECONDS = 0.5;
/** Until PostgreSQL has said how long a circuit is open. */
const OPEN_MS = 2_000;

/** What the end of a request means for the rows of destination_failures: an effect, a success, or nothing. */
export type RecordedHealth = CircuitEffect | 'success' | undefined;

/** What this process knows of one destination. It decides how many deliveries it leases and starts. */
export class DeliveryLine {
  readonly pace = new DeliveryPace();
  /** Leased deliveries that wait for a place or for their turn, oldest first. */
  readonly ready: { delivery: TimedDelivery; leasedMs: number }[] = [];
  /** Places taken: requests under way, and reservations for first tries. */
  taken = 0;
  /** When the next queued delivery is due, as far as this process knows. */
  dueMs = Infinity;
  /** When `dueMs` became earlier by what this process did. */
  notedMs = 0;
  /** This revision answered 410. It is about to be disabled, which raises the revision. */
  goneAtRevision: number | undefined;
  private isDeleted = false;
  private window = new DeliveryWindow();
  private weight = new FailureWeight();
  private most = 0;
  private failingSinceMs: number | undefined;
  private openUntilMs: number | undefined;

  constructor(public destination: SealedDestination) {}

  /**
   * Undefined: the destination is deleted. A change may have fixed it, and has ended its failures in PostgreSQL.
   */
  change(destination: SealedDestination | undefined): void {
    this.isDeleted = destination === undefined;
    if (destination === undefined || destination.revision === this.destination.revision) return;
    this.destination = destination;
    this.weight = new FailureWeight();
    this.window = new DeliveryWindow();
    const nowMs = performance.now();
    if (this.isOpen) this.note(0, nowMs); // sweeps leave out what waits behind an open circuit
    this.failing(undefined, nowMs);
  }

  /** Applies this process's share of the limits. */
  share(place: WorkerPlace): void {
    const { maxInFlight, ratePerSecond, id } = this.destination;
    this.most = place.processes === 0 ? 0 : shareOf(maxInFlight, place, id);
    this.pace.most = shareOfRate(ratePerSecond ?? Infinity, place);
  }

  /** Returns false if it is known that this revision is gone. */
  gone(revision: number): boolean {
    if (this.goneAtRevision === revision) return false;
    this.goneAtRevision = revision;
    return true;
  }

  get isOpen(): boolean {
    return this.openUntilMs !== undefined;
  }

  /** Whether there is anything that this process may have to do for it. */
  get isIdle(): boolean {
    return this.taken === 0 && this.ready.length === 0 && this.dueMs === Infinity;
  }

  failingSeconds(nowMs: number): number {
    return this.failingSinceMs === undefined ? 0 : (nowMs - this.failingSinceMs) / 1_000;
  }

  /** Takes a place for a first try. Never ahead of a backlog. */
  reserve(nowMs: number): boolean {
    if (!this.takes || this.isOpen || this.ready.length > 0 || this.dueMs <= nowMs) return false;
    return this.takePlace(nowMs);
  }

  giveBack(nowMs: number): void {
    this.taken -= 1;
    this.pace.giveBack(nowMs);
  }

  /** Takes a place and a turn if both are free. A probe needs neither. */
  takePlace(nowMs: number, probes = false): boolean {
    if (!probes && (this.taken >= this.window.places(this.most) || !this.pace.take(nowMs))) return false;
    this.taken += 1;
    return true;
  }

  /** How many deliveries to lease now. */
  wanted(nowMs: number): number {
    if (!this.takes || this.most === 0 || this.dueMs > nowMs) return 0;
    if (this.openUntilMs !== undefined) return this.openUntilMs <= nowMs && this.ready.length === 0 ? 1 : 0;
    const ahead = Math.min(MOST_AHEAD, Math.floor(this.pace.measured(nowMs) * AHEAD_SECONDS));
    const places = this.window.places(this.most) - this.taken + ahead;
    const wanted = Math.min(places, this.pace.within(TURN_AHEAD_SECONDS, nowMs)) - this.ready.length;
    // While leased deliveries are ready, small claims are not worth their cost.
    return wanted > 0 && (this.ready.length === 0 || wanted * 2 >= ahead) ? wanted : 0;
  }

  /** When to look at this line again if nothing ends meanwhile. */
  nextMs(nowMs: number): number {
    if (!this.takes || this.most === 0) return Infinity;
    if (this.ready.length > 0) return Math.max(nowMs + this.pace.waitMs(nowMs), this.isOpen ? nowMs + OPEN_MS : 0);
    const turnMs = nowMs + Math.max(0, this.pace.waitMs(nowMs) - TURN_AHEAD_SECONDS * 1_000);
    return Math.max(this.dueMs, this.openUntilMs ?? 0, turnMs);
  }

  /** When a change of any kind makes a look at this line worth its cost. What waits for its turn may have to be given back. */
  lookMs(nowMs: number): number {
    return this.ready.length > 0 ? nowMs : this.nextMs(nowMs);
  }

  /** A delivery is queued that is due in `waitMs`. */
  note(waitMs: number, nowMs: number): void {
    this.dueMs = Math.min(this.dueMs, nowMs + waitMs);
    this.notedMs = nowMs;
  }

  /** A claim that began at `beganMs` found fewer than it asked for. A sweep finds out when more are due. */
  drained(beganMs: number): void {
    if (this.notedMs < beganMs) this.dueMs = Infinity;
  }

  /** This process has leased the probe. */
  probed(untilMs: number): void {
    this.openUntilMs = untilMs;
  }

  /** What a sweep that began at `readMs` has found. */
  swept(dueInSeconds: number | undefined, failing: FailingDestination | undefined, readMs: number): void {
    const nowMs = performance.now();
    if (dueInSeconds !== undefined) this.dueMs = nowMs + dueInSeconds * 1_000;
    else if (this.notedMs < readMs) this.dueMs = Infinity;
    this.failing(failing, nowMs);
  }

  /** Where the destination stands in PostgreSQL; undefined without failures. */
  failing(failing: FailingDestination | undefined, nowMs: number): void {
    this.failingSinceMs = failing ? nowMs - failing.failingSeconds * 1_000 : undefined;
    this.openUntilMs =
      failing?.openSeconds === null || failing === undefined ? undefined : nowMs + failing.openSeconds * 1_000;
  }

  /** Learns from the end of a request. */
  learn(health: Health, probes: boolean, nowMs: number): RecordedHealth {
    const opens = this.weight.add(health);
    if (health === 'success') return this.succeeded(nowMs, probes);
    if (health === 'timeout') this.window.timedOut();
    if (health === 'nothing') return probes ? 'probe-ended' : undefined;
    this.failingSinceMs ??= nowMs;
    if (health === 'alive') {
      this.openUntilMs = undefined;
      return 'closes';
    }
    if (probes) return 'probe-failed';
    if (opens) this.openUntilMs ??= nowMs + OPEN_MS;
    return opens ? 'opens' : 'same';
  }

  private succeeded(nowMs: number, probes: boolean): RecordedHealth {
    this.window.succeeded(this.most);
    this.pace.succeeded(nowMs);
    const wasFailing = probes || this.failingSinceMs !== undefined;
    this.failingSinceMs = undefined;
    this.openUntilMs = undefined;
    return wasFailing ? 'success' : undefined;
  }

  /** Whether anything may be sent to it, as far as this process knows. */
  get takes(): boolean {
    const { enabled, pausedAt, revision } = this.destination;
    return enabled && pausedAt === null && !this.isDeleted && revision !== this.goneAtRevision;
  }
}
