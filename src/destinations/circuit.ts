export interface CircuitRules {
  /** The circuit opens when the weights of the failures since the last success add up to this. */
  opensAt: number;
  /** How long it stays open the first time. Every failed probe doubles this time, up to `mostOpenMs`. */
  openMs: number;
  mostOpenMs: number;
}

/**
 * Quick failures (a refused connection, a 500) cost little, so many of them may happen before the circuit opens: a few
 * events that fail by themselves take the normal path through the retries. A timeout holds a slot for its whole length
 * and weighs more.
 */
export const CIRCUIT_RULES: CircuitRules = { opensAt: 20, openMs: 2_000, mostOpenMs: 60_000 };
export const FAILURE_WEIGHT = { quick: 1, timeout: 4 } as const;

export type Admission = 'closed' | 'probe';

/**
 * A circuit breaker. It opens after failures without a success between them. After a while it is half open and admits
 * one probe at a time: a success closes it, a failure opens it for twice as long. The caller passes the time. (opossum
 * keeps timers and buckets for each circuit, of which there may be thousands. It also does not say when it will admit
 * the next call, which is when postponed events have to come back.)
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

  /** When the next probe may start; in the past while a probe is running. */
  get nextProbeMs(): number {
    return this.openUntilMs;
  }

  get lastOpenMs(): number {
    return this.openMs;
  }

  refuses(nowMs: number): boolean {
    return this.isOpen && (this.probing || nowMs < this.openUntilMs);
  }

  /** Returns undefined when no call may be made. Otherwise the caller must report `succeeded`, `failed` or `ended`. */
  admit(nowMs: number): Admission | undefined {
    if (!this.isOpen) return 'closed';
    if (this.refuses(nowMs)) return undefined;
    this.probing = true;
    return 'probe';
  }

  /** Closes the circuit. A late success of a call from before it opened counts too: the receiver is alive. */
  succeeded(): void {
    this.weight = 0;
    this.openMs = 0;
    this.openUntilMs = 0;
    this.probing = false;
  }

  failed(admission: Admission, weight: number, nowMs: number): void {
    this.ended(admission);
    if (this.isOpen && admission === 'closed') return; // the call started before the circuit opened
    this.weight += weight;
    if (admission === 'probe') this.open(Math.min(this.openMs * 2, this.rules.mostOpenMs), nowMs);
    else if (this.weight >= this.rules.opensAt) this.open(this.rules.openMs, nowMs);
  }

  /** The call ended without telling whether the receiver is alive. */
  ended(admission: Admission): void {
    if (admission === 'probe') this.probing = false;
  }

  private open(forMs: number, nowMs: number): void {
    this.openMs = forMs;
    this.openUntilMs = nowMs + forMs;
  }
}
