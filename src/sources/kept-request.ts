import { maskedHeaders, maskedQuery, type Mask } from './inspector/mask';
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

/** Leaves out headers that say nothing about what was sent, and masks secrets. A signature stays: without the secret it is worth nothing. */
export function keptRequest(
  { method, path, query, address, receivedAt }: RequestFacts,
  headers: Readonly<Record<string, string>>,
  mask: Mask,
): KeptRequest {
  const kept = Object.entries(headers).filter(([name]) => !OF_THE_WAY.has(name) && !PROXY.test(name));
  return {
    method,
    path,
    query: maskedQuery(query, mask),
    headers: maskedHeaders(Object.fromEntries(kept.slice(0, MAX_HEADERS)), mask),
    address,
    receivedAt: receivedAt.toISOString(),
  };
}
