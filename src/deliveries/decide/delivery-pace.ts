/** The rate after a slow-down, as a fraction of the rate at which the receiver took deliveries. */
const BACK_OFF = 0.9;
/** Fewer single refusals than this fraction change nothing: some receivers refuse at random. */
const MOST_REFUSED = 0.08;
/**
 * So many more refusals change nothing: one for each of these deliveries per second. A few requests say little about the
 * share that a receiver refuses, and at a higher rate the next ones come soon.
 */
const SPARE_REFUSAL_PER_SECOND = 12;
const MOST_SPARE = 3;
/** A rate that doubles every second soon meets more refusals if it is too high. */
const SPARE_WHILE_SEARCHING = 2;
/** Successes are counted since the last slow-down, when the rate was lower than it is now. */
const ABOVE_MEAN = 1.1;
const FEW = 20;
const MOST_DROP = 0.7;
const LEAST_PER_SECOND = 1 / 60;
/** Growth of the rate after the last slow-down: careful at first, then ever faster, as fractions per second (squared). */
const LINEAR_GROWTH = 0.02;
const SQUARE_GROWTH = 0.001;
/** Above this rate, and this long after the last slow-down, there is no limit any more. */
const FREE_ABOVE_PER_SECOND = 2_000;
/** What was not used of this time may start at once. */
const BURST_MS = 100;
const LEAST_MEASURED_MS = 1_000;
const MOST_MEASURED_MS = 10_000;

/**
 * How many deliveries per second a destination gets. Its limit is `ratePerSecond`, if it has one, and what the receiver
 * takes: a slow-down (429, or 503 with Retry-After) sets the rate to a little less than the successes per second that
 * were seen, and from there it grows again. The caller passes the time in ms.
 */
export class DeliveryPace {
  /** This process's share of `ratePerSecond`; infinite without one. */
  most = Infinity;
  /** The rate at the last slow-down; infinite before the first. */
  private cutTo = Infinity;
  private cutMs = 0;
  /** The rate at the last slow-down is a guess: then it doubles every second until the next one. */
  private searching = false;
  /** When the next delivery may start. */
  private nextMs = 0;
  private pausedUntilMs = 0;
  private successes = 0;
  private measuredSinceMs = 0;
  private lastSuccessMs = -Infinity;
  /** Slow-downs since `measuredSinceMs`. */
  private refusedLately = 0;
  /** When the last slow-down was noticed. */
  private refusedMs = 0;
  /** Slow-downs since the last success. */
  private refusals = 0;
  /** Those of them that changed something. */
  private cuts = 0;

  perSecond(nowMs: number): number {
    if (this.cutTo === Infinity) return this.most;
    const seconds = Math.max(0, nowMs - this.cutMs) / 1_000;
    const factor = this.searching ? 2 ** seconds : 1 + LINEAR_GROWTH * seconds + SQUARE_GROWTH * seconds ** 2;
    const grown = this.cutTo * factor;
    if (grown > FREE_ABOVE_PER_SECOND) this.cutTo = Infinity;
    return Math.min(this.most, this.cutTo === Infinity ? Infinity : grown);
  }

  /** Takes the turn of one delivery, if it may start now. */
  take(nowMs: number): boolean {
    if (this.waitMs(nowMs) > 0) return false;
    const rate = this.perSecond(nowMs);
    if (rate !== Infinity) this.nextMs = Math.max(this.nextMs, nowMs - BURST_MS) + 1_000 / rate;
    return true;
  }

  /** A turn that was taken is not used. */
  giveBack(nowMs: number): void {
    const rate = this.perSecond(nowMs);
    if (rate !== Infinity) this.nextMs -= 1_000 / rate;
  }

  /** How long the next delivery has to wait. */
  waitMs(nowMs: number): number {
    const untilMs = this.perSecond(nowMs) === Infinity ? 0 : this.nextMs;
    return Math.max(0, untilMs - nowMs, this.pausedUntilMs - nowMs);
  }

  /** How many deliveries may start within the next `seconds`. */
  within(seconds: number, nowMs: number): number {
    const rate = this.perSecond(nowMs);
    if (rate === Infinity) return this.pausedUntilMs > nowMs + seconds * 1_000 ? 0 : Infinity;
    const leftSeconds = seconds - this.waitMs(nowMs) / 1_000;
    return leftSeconds < 0 ? 0 : 1 + Math.floor(leftSeconds * rate);
  }

  succeeded(nowMs: number): void {
    this.refusals = 0;
    this.cuts = 0;
    if (nowMs - this.lastSuccessMs > MOST_MEASURED_MS) this.measureFrom(nowMs);
    this.lastSuccessMs = nowMs;
    this.successes += 1;
    if (nowMs - this.measuredSinceMs <= (this.searching ? LEAST_MEASURED_MS : MOST_MEASURED_MS)) return;
    this.successes /= 2;
    this.refusedLately /= 2;
    this.measuredSinceMs += (nowMs - this.measuredSinceMs) / 2;
  }

  /** Successes per second lately. */
  measured(nowMs: number): number {
    const leastMs = this.cutTo === Infinity ? LEAST_MEASURED_MS : LEAST_MEASURED_MS / 4;
    return (this.successes * 1_000) / Math.max(leastMs, nowMs - this.measuredSinceMs);
  }

  /**
   * The receiver asks for fewer. All requests that were under way at the last slow-down count as that one. The first
   * refusal after a success slows down, unless few are refused. If the next request is refused too (at a high rate, the
   * next two), the destination is left alone for as long as the receiver asks, and each further one halves the rate.
   */
  slowDown(startedMs: number, nowMs: number, retryAfterSeconds: number): void {
    this.refusedLately += 1;
    if (startedMs < Math.max(this.cutMs, this.refusedMs)) return;
    this.refusedMs = nowMs;
    const before = this.perSecond(nowMs);
    this.refusals += 1;
    if (!this.isTooFast(before)) return;
    this.cuts += 1;
    if (this.cuts > 1) this.pausedUntilMs = nowMs + retryAfterSeconds * 1_000;
    if (this.cuts === 1) this.follow(before, nowMs);
    // The pause alone may suffice; the rate is halved if it does not.
    else if (this.cuts > 2 || retryAfterSeconds === 0) this.guess(before / 2);
    this.cutMs = Math.max(nowMs, this.pausedUntilMs);
    this.nextMs = Math.max(this.nextMs, nowMs + 1_000 / this.cutTo);
    this.measureFrom(this.cutMs);
  }

  /** Whether the refusals say that the rate is too high, and not only that the receiver refuses some at random. */
  private isTooFast(before: number): boolean {
    const least = this.searching ? SPARE_WHILE_SEARCHING : 0;
    const ofRate = Math.min(MOST_SPARE, Math.floor(before / SPARE_REFUSAL_PER_SECOND));
    const spare = before === Infinity ? 0 : Math.max(least, ofRate);
    if (this.refusals > (spare > 0 ? 2 : 1)) return true;
    return this.refusedLately > spare + (this.successes + this.refusedLately) * MOST_REFUSED;
  }

  /** Sets the rate to a little less than what was seen. */
  private follow(before: number, nowMs: number): void {
    const seen = this.measured(nowMs);
    if (before === Infinity) this.guess(seen === 0 ? 1 : seen * BACK_OFF);
    else {
      // Shortly after a slow-down, too little was measured. Hence the lower bounds.
      const most = this.successes < FEW ? 1 : MOST_DROP;
      const least = this.searching ? this.cutTo * MOST_DROP : before * most;
      this.cutTo = Math.max(LEAST_PER_SECOND, Math.min(before, Math.max(seen * ABOVE_MEAN, least)) * BACK_OFF);
      this.searching = false;
    }
  }

  private guess(perSecond: number): void {
    this.cutTo = Math.max(LEAST_PER_SECOND, Math.min(perSecond, FREE_ABOVE_PER_SECOND));
    this.searching = true;
  }

  private measureFrom(nowMs: number): void {
    this.successes = 0;
    this.refusedLately = 0;
    this.measuredSinceMs = nowMs;
  }
}
