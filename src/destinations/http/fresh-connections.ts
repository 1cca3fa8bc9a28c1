import type { Dispatcher } from 'undici';

/** A name that moved is followed after this time, and the address guard is asked again. */
export const MAX_AGE_MS = 30_000;

/**
 * Connections to one receiver, none of which gets a request when it may be older than MAX_AGE_MS. Under steady traffic a
 * kept connection would otherwise lead to the same address for ever, wherever the name has moved.
 */
export class FreshConnections {
  private current: Dispatcher;
  private openedAtMs: number;
  private readonly closing = new Set<Promise<void>>();

  constructor(
    private readonly open: () => Dispatcher,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.current = open();
    this.openedAtMs = nowMs();
  }

  /** The connections for the next request. */
  get(): Dispatcher {
    if (this.nowMs() - this.openedAtMs >= MAX_AGE_MS) this.renew();
    return this.current;
  }

  /** Opens other connections for the requests that follow. Requests that are under way end on theirs. */
  renew(): void {
    const closing = this.current.close().catch(() => undefined); // only fails if they are closed already
    this.closing.add(closing);
    void closing.then(() => this.closing.delete(closing));
    this.current = this.open();
    this.openedAtMs = this.nowMs();
  }

  async close(): Promise<void> {
    await Promise.all([this.current.close(), ...this.closing]);
  }
}
