import { utcText } from '../event/instant';
import { quoted, quotedName } from '../event/json/canonical-json';
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
 * Returns a KeptRequest as JSON text. Leaves out headers that say nothing about what was sent and are not signed, and
 * masks secrets. A signature stays: without the secret it is worth nothing.
 */
export function keptRequestJson(
  { method, path, query, headers, address, receivedAt }: RequestFacts,
  mask: Mask,
): string {
  return (
    `{"method":${quoted(method)},"path":${quoted(maskedPath(path, mask))},"query":${keptQuery(query, mask)},` +
    `"headers":${keptHeaders(headers, mask)},"address":${quoted(address)},"receivedAt":"${utcText(receivedAt.getTime())}"}`
  );
}

function keptHeaders(headers: RequestFacts['headers'], mask: Mask): string {
  let text = '';
  let count = 0;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (value === undefined || (isOfTheWay(name) && !mask.shown.headers.has(name))) continue;
    const shown = maskedHeader(name, Array.isArray(value) ? value.join(', ') : value, mask);
    text += `${count === 0 ? '' : ','}${quotedName(name)}${quoted(shown)}`;
    if (++count === MAX_HEADERS) break;
  }
  return `{${text}}`;
}

const isOfTheWay = (name: string): boolean => OF_THE_WAY.has(name) || PROXY.test(name);

function keptQuery(query: RequestFacts['query'], mask: Mask): string {
  return Object.keys(query).length === 0 ? '{}' : JSON.stringify(storable(maskedQuery(query, mask)));
}

/** PostgreSQL cannot read a member of a JSON text that has U+0000 anywhere. Only a query can have it: `%00`. */
function storable(query: KeptRequest['query']): KeptRequest['query'] {
  const text = (one: string): string => one.replaceAll('\0', '\ufffd');
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [text(name), Array.isArray(value) ? value.map(text) : text(value)]),
  );
}
