import { isNativeError } from 'node:util/types';
import type { Dispatcher } from 'undici';
import { NOT_ALLOWED, type AddressGuard } from './address/address-guard';
import type { Destination } from './destination';
import { Exchange, type ExchangeOutcome } from './http/exchange';
import type { HeadTap } from './http/head-tap';
import { openPool, type TappedOptions } from './http/tapped-pool';
import { retryAfterMs } from './retry-after';
import { timeOfDayMs } from '../event/time-of-day';

/** How a request ended. `isOfProxy`: our own proxy has failed, which says nothing about the destination. */
export type Answer =
  | { kind: 'answered'; status: number; text: string; retryAfterMs?: number }
  | { kind: 'failed'; reason: FailureReason; message: string; isOfProxy?: true };

/** Why there was no response. With the last two, no request was sent. */
export type FailureReason =
  'TIMEOUT' | 'CONNECTION_FAILED' | 'INVALID_RESPONSE' | 'ADDRESS_REFUSED' | 'AUTH_FAILED' | 'TRANSFORM_FAILED';

export interface DeliveryRequest {
  body: Buffer | string;
  headers: Record<string, string>;
}

/** Opens keep-alive connections to one destination, one for each delivery that may be in flight. */
export function openConnections({ url, timeoutMs, maxInFlight }: Destination, guard: AddressGuard): Dispatcher {
  const { origin } = new URL(url);
  return openPool({ origin, most: maxInFlight, connect: guard.connector(timeoutMs) });
}

/**
 * Sends one POST. A response counts once its status is read, however it goes on. Redirects are not followed: they would
 * send the event to a URL that nobody registered.
 * @param leftMs what is left of the time of the attempt
 */
export async function post(
  connections: Dispatcher,
  { url, timeoutMs }: Destination,
  request: DeliveryRequest,
  signal: AbortSignal,
  leftMs: number = timeoutMs,
): Promise<Answer> {
  const outcome = await exchange(connections, { url: new URL(url), leftMs, ...request }, signal);
  if (outcome.kind === 'overdue') {
    return { kind: 'failed', reason: 'TIMEOUT', message: `no response within ${timeoutMs} ms` };
  }
  if (outcome.kind === 'unanswered') return toFailure(outcome.error);
  const { status, text, retryAfter } = outcome;
  const waitMs = retryAfterMs(retryAfter, timeOfDayMs());
  return { kind: 'answered', status, text, ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }) };
}

function exchange(
  connections: Dispatcher,
  { url, leftMs, body, headers }: DeliveryRequest & { url: URL; leftMs: number },
  signal: AbortSignal,
): Promise<ExchangeOutcome> {
  if (signal.aborted) return Promise.resolve({ kind: 'overdue' });
  return new Promise((resolve) => {
    const running = new Exchange((outcome) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(outcome);
    });
    const stop = (): void => running.stop();
    const timer = setTimeout(stop, leftMs);
    signal.addEventListener('abort', stop, { once: true });
    const { origin, pathname, search } = url;
    const onTap = (tap: HeadTap): void => running.onTap(tap);
    const options: TappedOptions = { origin, path: pathname + search, method: 'POST', headers, body, onTap };
    connections.dispatch(options, running);
  });
}

function toFailure(error: unknown): Answer {
  const code = codeOf(error);
  if (code === 'ADDRESS_REFUSED') {
    return { kind: 'failed', reason: 'ADDRESS_REFUSED', message: NOT_ALLOWED };
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return { kind: 'failed', reason: 'TIMEOUT', message: 'connecting timed out' };
  }
  if (code === 'ETIMEOUT') {
    return { kind: 'failed', reason: 'TIMEOUT', message: 'the name servers of the host did not answer' };
  }
  const text = error instanceof Error && error.message !== '' ? error.message : 'the connection failed';
  if (code === 'PROXY_UNAVAILABLE') {
    return { kind: 'failed', reason: 'CONNECTION_FAILED', message: `${code}: ${text}`, isOfProxy: true };
  }
  if (code === 'INVALID_RESPONSE') return { kind: 'failed', reason: code, message: text };
  if (code === ASSERTION || code === 'UND_ERR_HEADERS_OVERFLOW' || isParserError(error)) {
    const why = code === ASSERTION ? '' : `: ${text}`;
    return { kind: 'failed', reason: 'INVALID_RESPONSE', message: `the response is not valid HTTP${why}` };
  }
  return { kind: 'failed', reason: 'CONNECTION_FAILED', message: code ? `${code}: ${text}` : text };
}

/** undici's parser reports what it did not expect as a failed assertion. */
const ASSERTION = 'ERR_ASSERTION';

const isParserError = (error: unknown): boolean => isNativeError(error) && error.name === 'HTTPParserError';

/** Returns the code of an error or its cause. Node wraps the errors of all addresses that it tried in one error. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!isNativeError(error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
