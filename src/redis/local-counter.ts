import { WINDOW_MS, wholeMs, WindowCounter, type Taken } from './window-counter';

interface Window {
  used: number;
  endsAtMs: number;
}

/** Bounds the memory when very many addresses or tenants send. Beyond it, the oldest windows are forgotten. */
const MAX_KEYS = 100_000;

/** Counts in this process. */
export class LocalCounter extends WindowCounter {
  /** In the order in which the windows began, so that the first ones are the first to end. */
  private readonly windows = new Map<string, Window>();

  constructor(private readonly maxKeys = MAX_KEYS) {
    super();
  }

  take(key: string, wanted: number, upTo: number): Promise<Taken> {
    const nowMs = wholeMs();
    const window = this.current(key, nowMs) ?? { used: 0, endsAtMs: nowMs + WINDOW_MS };
    const granted = Math.max(0, Math.min(wanted, upTo - window.used));
    if (window.used === 0 && granted > 0) this.begin(key, window, nowMs);
    window.used += granted;
    return Promise.resolve({ granted, used: window.used, endsInMs: window.endsAtMs - nowMs, counter: this });
  }

  giveBack(key: string, points: number, endsInMs: number): void {
    const window = endsInMs > 0 ? this.current(key, wholeMs()) : undefined;
    if (window) window.used = Math.max(0, window.used - points);
  }

  /** Takes over the count of another counter, to go on from there. */
  follow(key: string, used: number, endsInMs: number): void {
    const nowMs = wholeMs();
    const window = this.current(key, nowMs);
    if (window) Object.assign(window, { used, endsAtMs: nowMs + endsInMs });
    else if (used > 0) this.begin(key, { used, endsAtMs: nowMs + endsInMs }, nowMs);
  }

  private current(key: string, nowMs: number): Window | undefined {
    const window = this.windows.get(key);
    return window && window.endsAtMs > nowMs ? window : undefined;
  }

  private begin(key: string, window: Window, nowMs: number): void {
    if (this.current(key, nowMs) === window) return; // its points were all given back; it goes on
    this.windows.delete(key);
    this.windows.set(key, window);
    for (const [oldest, { endsAtMs }] of this.windows) {
      if (endsAtMs > nowMs && this.windows.size <= this.maxKeys) break;
      this.windows.delete(oldest);
    }
  }
}
