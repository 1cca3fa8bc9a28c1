import type { AllowedUrl } from './allowed-url';

const MAX_KEPT = 100;
const MAX_PAUSES = 1_000;
const PAUSE_MS = 10_000;

interface Kept<T> {
  value: T;
  atMs: number;
  freshUntilMs: number;
  usableUntilMs: number;
}

export interface KeyLife {
  /** After this time, it is fetched again. */
  freshMs: number;
  /** Until then, it is used if it cannot be fetched again. */
  usableMs: number;
}

/**
 * Keeps what was fetched from URLs. One fetch runs at a time for a URL, and none for a while after a failure. Strangers
 * who use up the limit of fetches do not end the use of what is kept.
 */
export class KeptKeys<T> {
  /** The longest unused one is first. */
  private readonly kept = new Map<string, Kept<T>>();
  private readonly running = new Map<string, Promise<T>>();
  private readonly pausedUntilMs = new Map<string, number>();

  constructor(
    private readonly fetch: (url: AllowedUrl) => Promise<T>,
    private readonly lifeOf: (value: T) => KeyLife,
  ) {}

  /** @param oldestMs fetches again what was kept for longer @throws the error of the fetch, or of the pause after it */
  async get(url: AllowedUrl, oldestMs = Infinity): Promise<T> {
    const { href } = url;
    const kept = this.kept.get(href);
    if (!kept) return this.fetchOnce(url);
    this.kept.delete(href);
    this.kept.set(href, kept);
    const ageMs = performance.now() - kept.atMs;
    if (ageMs >= oldestMs) return this.fetchOnce(url);
    if (performance.now() < kept.freshUntilMs) return kept.value;
    return this.fetchOnce(url).catch((error: unknown) => {
      if (performance.now() < kept.usableUntilMs) return kept.value;
      throw error;
    });
  }

  private async fetchOnce(url: AllowedUrl): Promise<T> {
    const { href } = url;
    const running = this.running.get(href);
    if (running) return running;
    if (performance.now() < (this.pausedUntilMs.get(href) ?? 0))
      throw new Error(`The last fetch of ${href} has failed.`);
    const started = this.fetchAndKeep(url).finally(() => this.running.delete(href));
    this.running.set(href, started);
    return started;
  }

  private async fetchAndKeep(url: AllowedUrl): Promise<T> {
    const { href } = url;
    try {
      const value = await this.fetch(url);
      const atMs = performance.now();
      this.kept.delete(href);
      const { freshMs, usableMs } = this.lifeOf(value);
      const kept = { value, atMs, freshUntilMs: atMs + freshMs, usableUntilMs: atMs + usableMs };
      setBounded(this.kept, href, kept, MAX_KEPT);
      this.pausedUntilMs.delete(href);
      return value;
    } catch (error) {
      this.pausedUntilMs.delete(href);
      setBounded(this.pausedUntilMs, href, performance.now() + PAUSE_MS, MAX_PAUSES);
      throw error;
    }
  }
}

/** Adds an entry as the newest, and removes the oldest one if there are too many. */
function setBounded<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}
