export interface CircuitRules {
  /** Opens when the failures since the last success weigh this much. */
  opensAt: number;
  /** How long it is open the first time; doubled by every probe that fails, up to `mostOpenMs`. */
  openMs: number;
  mostOpenMs: number;
}

/**
 * What is quick and harmless (a refused connection, a 500) may happen often before the circuit opens, so that a few
 * events that fail by themselves go their normal way through the retries; what held a slot for a whole timeout may not.
 */
export const CIRCUIT_RULES: CircuitRules = { opensAt: 20, openMs: 2_000, mostOpenMs: 60_000 };
export const FAILURE_WEIGHT = { quick: 1, timeout: 4 } as const;

export type Admission = 'closed' | 'probe';

/**
 * Closed → open after failures without a success between them → after a while half open: one call at a time probes →
 * closed by its success, or open for twice as long. The clock is the caller's. (Not opossum: it keeps timers and
 * buckets for each circuit, of which there may be thousands, and does not tell when the next call will be let through,
 * which the postponed events need.)
 */
export class Circuit {
  private weight = 0;
  /** 0 while closed. */
  private openMs = 0;
  private openUntilMs = 0;
  private probing = false;

  constructor(private readonly rules: CircuitRules = CIRCUIT_RULES) {}

  get isOpen(): boolean {
    return this.openMs > 0;
  }

  /** When the next probe may begin; in the past while one is under way. */
  get nextProbeMs(): number {
    return this.openUntilMs;
  }

  get lastOpenMs(): number {
    return this.openMs;
  }

  refuses(nowMs: number): boolean {
    return this.isOpen && (this.probing || nowMs < this.openUntilMs);
  }

  /** Undefined when no call may be made. Otherwise `succeeded`, `failed` or `ended` must follow. */
  admit(nowMs: number): Admission | undefined {
    if (!this.isOpen) return 'closed';
    if (this.refuses(nowMs)) return undefined;
    this.probing = true;
    return 'probe';
  }

  /** Also of a call from before it opened: the other side is alive. */
  succeeded(): void {
    this.weight = 0;
    this.openMs = 0;
    this.openUntilMs = 0;
    this.probing = false;
  }

  failed(admission: Admission, weight: number, nowMs: number): void {
    this.ended(admission);
    if (this.isOpen && admission === 'closed') return; // from before it opened
    this.weight += weight;
    if (admission === 'probe') this.open(Math.min(this.openMs * 2, this.rules.mostOpenMs), nowMs);
    else if (this.weight >= this.rules.opensAt) this.open(this.rules.openMs, nowMs);
  }

  /** The call told nothing about the other side. */
  ended(admission: Admission): void {
    if (admission === 'probe') this.probing = false;
  }

  private open(forMs: number, nowMs: number): void {
    this.openMs = forMs;
    this.openUntilMs = nowMs + forMs;
  }
}
