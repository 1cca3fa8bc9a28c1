import type { ReceivedRequest } from './received-request';
import type { Verification } from './verification/verification';

/** Headers that say how the request came, not what the producer sent. */
const OF_THE_WAY = new Set([
  'connection',
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'pragma',
  'host',
  'forwarded',
  'via',
  'keep-alive',
  'transfer-encoding',
  'te',
  'upgrade',
  'expect',
  'traceparent',
  'tracestate',
]);
const PROXY = /^(?:x-forwarded-|x-real-ip$|cf-|x-envoy-|x-amzn-trace-id$|x-cloud-trace-)/;
const SECRET_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key']);
const MASK = '***';
const MAX_HEADERS = 100;

/** A request without its body, as it is kept with its events and rejections and shown to operators. */
export interface KeptRequest {
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  headers: Record<string, string>;
  address: string;
  receivedAt: string;
}

/** Masks what authenticates a request by itself. A signature stays: it is worth nothing without the secret. */
export function keptRequest(request: ReceivedRequest, verification: Verification): KeptRequest {
  const { method, path, query, address, receivedAt } = request.facts;
  const token = verification.scheme === 'token' ? verification : undefined;
  const headers: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of Object.entries(request.headers)) {
    if (OF_THE_WAY.has(name) || PROXY.test(name) || count === MAX_HEADERS) continue;
    headers[name] = SECRET_HEADERS.has(name) || name === token?.header?.toLowerCase() ? MASK : value;
    count += 1;
  }
  const shownQuery = { ...query };
  if (token?.query !== undefined && Object.hasOwn(shownQuery, token.query)) shownQuery[token.query] = MASK;
  return { method, path, query: shownQuery, headers, address, receivedAt: receivedAt.toISOString() };
}
