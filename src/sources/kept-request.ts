import { maskedHeader, maskedPath, maskedQuery, type Mask } from './inspector/mask';
import type { RequestFacts } from './request-facts';

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

/**
 * Leaves out headers that say nothing about what was sent and are not signed, and masks secrets. A signature stays: without the secret it is
 * worth nothing.
 */
export function keptRequest(facts: RequestFacts, mask: Mask): KeptRequest {
  const { method, path, query, address, receivedAt } = facts;
  const headers: Record<string, string> = {};
  let count = 0;
  for (const [name, value] of Object.entries(facts.headers)) {
    if (value === undefined || (isOfTheWay(name) && !mask.shown.headers.has(name))) continue;
    headers[name] = maskedHeader(name, Array.isArray(value) ? value.join(', ') : value, mask);
    if (++count === MAX_HEADERS) break;
  }
  return {
    method,
    path: maskedPath(path, mask),
    query: storable(maskedQuery(query, mask)),
    headers,
    address,
    receivedAt: receivedAt.toISOString(),
  };
}

const isOfTheWay = (name: string): boolean => OF_THE_WAY.has(name) || PROXY.test(name);

/** PostgreSQL cannot read a member of a JSON text that has U+0000 anywhere. Only a query can have it: `%00`. */
function storable(query: KeptRequest['query']): KeptRequest['query'] {
  const text = (one: string): string => one.replaceAll('\0', '\ufffd');
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [text(name), Array.isArray(value) ? value.map(text) : text(value)]),
  );
}
