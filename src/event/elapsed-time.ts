import { uptime } from 'node:os';

/** The clock of the machine has moved by this much against the monotonic one: it was set, or the machine has slept. */
const SUSPICIOUS_MS = 500;
/** uptime() may count whole seconds. A shorter sleep is not noticed. */
const LEAST_SLEEP_MS = 2_000;

export interface Clocks {
  /** Does not jump, and stands still while the machine sleeps. */
  awakeMs: () => number;
  /** May be set at any moment. */
  wallMs: () => number;
  /** Does not jump, and counts sleep. Costs a system call or a file, so it is asked only on suspicion. */
  uptimeMs: () => number;
}

/**
 * Time that has passed, sleep of the machine included. performance.now() stands still meanwhile, but leases in PostgreSQL
 * end: what is measured against them is measured here.
 */
export class ElapsedTime {
  private sleptMs = 0;
  private offsetMs: number;
  private readonly startMs: number;

  constructor(private readonly clocks: Clocks) {
    this.offsetMs = clocks.wallMs() - clocks.awakeMs();
    this.startMs = clocks.uptimeMs() - clocks.awakeMs();
  }

  /** In ms, from an arbitrary moment. */
  nowMs(): number {
    const { awakeMs, wallMs, uptimeMs } = this.clocks;
    const awake = awakeMs();
    const offsetMs = wallMs() - awake;
    if (Math.abs(offsetMs - this.offsetMs) > SUSPICIOUS_MS) {
      this.offsetMs = offsetMs;
      const sleptMs = uptimeMs() - awake - this.startMs;
      if (sleptMs - this.sleptMs >= LEAST_SLEEP_MS) this.sleptMs = sleptMs;
    }
    return awake + this.sleptMs;
  }
}

const elapsed = new ElapsedTime({
  awakeMs: () => performance.now(),
  wallMs: () => Date.now(),
  uptimeMs: () => uptime() * 1_000,
});

/** See ElapsedTime. */
export const elapsedMs = (): number => elapsed.nowMs();
