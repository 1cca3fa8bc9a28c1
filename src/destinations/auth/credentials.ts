import type { AddressGuard } from '../address/address-guard';
import { headerOfAuth, type DestinationAuth, type OAuth2 } from './destination-auth';
import { ProxyUnavailableError } from '../http/reach-proxy';
import { fetchToken, TokenError } from './fetch-token';

/** Why there is no token. `isOfProxy`: our own proxy has failed, which says nothing about the token endpoint. */
interface NoHeaders {
  failure: string;
  isOfProxy?: true;
}

/** The headers that authenticate a delivery (the same object until they change), or why there are none. */
export type AuthHeaders = { headers: Record<string, string> } | NoHeaders;

/** A token is replaced this long before it ends, or after nine tenths of its time if that is later. */
const MARGIN_MS = 30_000;
/** After a failed fetch, deliveries fail for this long without another one. */
const PAUSE_MS = 5_000;
const LATE = 'the token endpoint did not respond within the timeout of the delivery';

/** Authenticates the deliveries to one revision of a destination. */
export class Credentials {
  private readonly fixed: AuthHeaders | undefined;
  private readonly oauth2: OAuth2 | undefined;
  private kept: { auth: AuthHeaders; freshUntilMs: number } | undefined;
  private fetchedAtMs = 0;
  private fetching: Promise<AuthHeaders> | undefined;
  private paused: { because: NoHeaders; untilMs: number } | undefined;

  constructor(
    auth: DestinationAuth | null,
    private readonly guard: AddressGuard,
  ) {
    if (auth?.type === 'oauth2') this.oauth2 = auth;
    else this.fixed = { headers: auth ? headerOfAuth(auth) : {} };
  }

  /** Waits at most `mostMs` for a token. One that comes later is kept for the deliveries that follow. */
  async headersWithin(mostMs: number, nowMs: number): Promise<AuthHeaders> {
    const headers = this.headers(nowMs);
    if (!(headers instanceof Promise)) return headers;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<AuthHeaders>((resolve) => {
      timer = setTimeout(() => resolve({ failure: LATE }), mostMs);
    });
    try {
      return await Promise.race([headers, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private headers(nowMs: number): AuthHeaders | Promise<AuthHeaders> {
    if (this.fixed) return this.fixed;
    if (this.kept && nowMs < this.kept.freshUntilMs) return this.kept.auth;
    if (this.paused && nowMs < this.paused.untilMs) return this.paused.because;
    this.fetching ??= this.fetch(this.oauth2 as OAuth2).finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  /**
   * Drops a token that the receiver has refused.
   * @returns true when another token may be accepted: the refused one was not fetched for this delivery
   */
  refused(sent: AuthHeaders, askedAtMs: number): boolean {
    if (this.fixed || !('headers' in sent)) return false;
    if (this.kept?.auth === sent) this.kept = undefined;
    return this.fetchedAtMs < askedAtMs;
  }

  private async fetch(oauth2: OAuth2): Promise<AuthHeaders> {
    try {
      const { token, validSeconds } = await fetchToken(oauth2, this.guard);
      this.fetchedAtMs = performance.now();
      const validMs = validSeconds * 1_000;
      const auth = { headers: { authorization: `Bearer ${token}` } };
      this.kept = { auth, freshUntilMs: this.fetchedAtMs + Math.max(validMs - MARGIN_MS, validMs * 0.9) };
      return auth;
    } catch (error) {
      if (!(error instanceof TokenError)) throw error;
      const isOfProxy = error.cause instanceof ProxyUnavailableError;
      const because: NoHeaders = { failure: error.message, ...(isOfProxy ? { isOfProxy } : {}) };
      this.paused = { because, untilMs: performance.now() + PAUSE_MS };
      return because;
    }
  }
}
