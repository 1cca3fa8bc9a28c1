import { type Dispatcher, Pool } from 'undici';
import { NOT_ALLOWED, type AddressGuard } from './address/address-guard';
import type { Destination } from './destination';
import { retryAfterMs } from './retry-after';

/** Maximum number of bytes read of a response. A connection with more to read is closed, not reused. */
const MOST_READ_BYTES = 65_536;
/** Bytes of a response that are kept for operators. */
const KEPT_BYTES = 1_024;

/** How a request ended. */
export type Answer =
  | { kind: 'answered'; status: number; text: string; retryAfterMs?: number }
  | { kind: 'failed'; reason: 'TIMEOUT' | 'CONNECTION_FAILED' | 'ADDRESS_REFUSED'; message: string };

export interface DeliveryRequest {
  body: Buffer | string;
  headers: Record<string, string>;
}

/** Opens keep-alive connections to one destination, one for each delivery that may be in flight. */
export function openConnections({ url, timeoutMs, maxInFlight }: Destination, guard: AddressGuard): Dispatcher {
  return new Pool(new URL(url).origin, {
    connections: maxInFlight,
    pipelining: 1,
    connect: { lookup: guard.lookup, timeout: timeoutMs },
    // The deadline in `post` covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

/**
 * Sends one POST. A response counts once it is complete or MOST_READ_BYTES have arrived. One that breaks off earlier is
 * a connection failure, whatever its status. Redirects are not followed: they would send the event to a URL that
 * nobody registered.
 */
export async function post(
  connections: Dispatcher,
  { url, timeoutMs }: Destination,
  { body, headers }: DeliveryRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const aborter = new AbortController();
  const timer = setTimeout(() => aborter.abort(), timeoutMs);
  const abort = (): void => aborter.abort();
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  try {
    const { origin, pathname, search } = new URL(url);
    const response = await connections.request({
      origin,
      path: pathname + search,
      method: 'POST',
      headers,
      body,
      signal: aborter.signal,
    });
    const text = await readStart(response.body);
    const waitMs = retryAfterMs(singleHeader(response.headers['retry-after']), Date.now());
    const wait = waitMs === undefined ? {} : { retryAfterMs: waitMs };
    return { kind: 'answered', status: response.statusCode, text, ...wait };
  } catch (error) {
    if (aborter.signal.aborted) {
      return { kind: 'failed', reason: 'TIMEOUT', message: `no complete response within ${timeoutMs} ms` };
    }
    return toFailure(error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

const singleHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value;

async function readStart(body: AsyncIterable<Buffer>): Promise<string> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (bytes < KEPT_BYTES) kept.push(chunk.subarray(0, KEPT_BYTES - bytes));
    bytes += chunk.length;
    if (bytes > MOST_READ_BYTES) break; // ends the stream and its connection
  }
  return Buffer.concat(kept).toString('utf8').trim();
}

function toFailure(error: unknown): Answer {
  const code = codeOf(error);
  if (code === 'ADDRESS_REFUSED') {
    return { kind: 'failed', reason: 'ADDRESS_REFUSED', message: NOT_ALLOWED };
  }
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return { kind: 'failed', reason: 'TIMEOUT', message: 'connecting timed out' };
  }
  const text = error instanceof Error && error.message !== '' ? error.message : 'the connection failed';
  return { kind: 'failed', reason: 'CONNECTION_FAILED', message: code ? `${code}: ${text}` : text };
}

/** Returns the code of an error or its cause. Node wraps the errors of all addresses that it tried in one error. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0]);
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
