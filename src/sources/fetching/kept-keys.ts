import type { AllowedUrl } from './allowed-url';

const MAX_KEPT = 100;
const MAX_PAUSES = 1_000;
const PAUSE_MS = 10_000;

interface Kept<T> {
  value: T;
  atMs: number;
  untilMs: number;
}

/** Keeps what was fetched from URLs. One fetch runs at a time for a URL, and none for a while after a failure. */
export class KeptKeys<T> {
  /** The longest unused one is first. */
  private readonly kept = new Map<string, Kept<T>>();
  private readonly running = new Map<string, Promise<T>>();
  private readonly pausedUntilMs = new Map<string, number>();

  constructor(
    private readonly fetch: (url: AllowedUrl) => Promise<T>,
    /** How long a value may be used. */
    private readonly lifeMs: (value: T) => number,
  ) {}

  /** @param oldestMs fetches again what was kept for longer @throws the error of the fetch, or of the pause after it */
  async get(url: AllowedUrl, oldestMs = Infinity): Promise<T> {
    const { href } = url;
    const nowMs = Date.now();
    const kept = this.kept.get(href);
    if (kept && nowMs < kept.untilMs && nowMs - kept.atMs < oldestMs) {
      this.kept.delete(href);
      this.kept.set(href, kept);
      return kept.value;
    }
    const running = this.running.get(href);
    if (running) return running;
    if (nowMs < (this.pausedUntilMs.get(href) ?? 0)) throw new Error(`The last fetch of ${href} has failed.`);
    const started = this.fetchAndKeep(url).finally(() => this.running.delete(href));
    this.running.set(href, started);
    return started;
  }

  private async fetchAndKeep(url: AllowedUrl): Promise<T> {
    const { href } = url;
    try {
      const value = await this.fetch(url);
      const atMs = Date.now();
      this.kept.delete(href);
      setBounded(this.kept, href, { value, atMs, untilMs: atMs + this.lifeMs(value) }, MAX_KEPT);
      this.pausedUntilMs.delete(href);
      return value;
    } catch (error) {
      this.pausedUntilMs.delete(href);
      setBounded(this.pausedUntilMs, href, Date.now() + PAUSE_MS, MAX_PAUSES);
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
