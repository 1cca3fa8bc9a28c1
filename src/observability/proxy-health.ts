import { Logger } from '@nestjs/common';
import { RareLog } from './rare-log';

/** After a failure of the proxy, no connection is opened through it for this long. */
const PAUSE_MS = 5_000;
/** A failure is shown for this long, unless the proxy has answered since. Longer than between two tries. */
const SHOWN_MS = 60_000;

/** What the connections of this process have seen of the proxy of destinations. */
export class ProxyHealth {
  private readonly logger = new Logger('Destinations');
  private readonly failures = new RareLog();
  private failure: { message: string; atMs: number } | undefined;
  private answeredAtMs = -Infinity;

  /** The proxy itself failed, whatever the connection was for. @param message names no host: /ready shows it */
  failed(message: string, nowMs: number = performance.now()): void {
    this.failure = { message, atMs: nowMs };
    this.failures.log((count) => this.logger.warn({ msg: 'proxy.unavailable', reason: message, count }), 1, nowMs);
  }

  /** The proxy opened a tunnel or refused one. */
  answered(nowMs: number = performance.now()): void {
    this.failure = undefined;
    this.answeredAtMs = nowMs;
  }

  hasAnsweredSince(ms: number): boolean {
    return this.answeredAtMs >= ms;
  }

  /** Why no connection should be opened now; undefined if one may be. */
  pausedBy(nowMs: number = performance.now()): string | undefined {
    return this.failureWithin(PAUSE_MS, nowMs);
  }

  /** What is wrong with the proxy; undefined if nothing is known to be. */
  fault(nowMs: number = performance.now()): string | undefined {
    return this.failureWithin(SHOWN_MS, nowMs);
  }

  private failureWithin(ms: number, nowMs: number): string | undefined {
    return this.failure && nowMs - this.failure.atMs < ms ? this.failure.message : undefined;
  }
}
