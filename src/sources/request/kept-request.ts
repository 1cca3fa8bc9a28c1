import { utcText } from '../../event/instant';
import { quoted } from '../../event/json/canonical-json';
import { headerRule, maskedHeader, maskedPath, maskedQuery, type HeaderRule, type Mask } from '../inspector/mask';
import type { RequestFacts } from './request-facts';
import type { Verified } from '../verification/verdict';

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
/** Names of headers for which a source remembers what is done with them. Most requests have the same ones. */
const MAX_NAMES = 500;
const MAX_REPEATED_LENGTH = 200;

/** A request without its body, as it is kept with its events and rejections and shown to operators. */
export interface KeptRequest {
  method: string;
  path: string;
  query: Record<string, string | string[]>;
  headers: Record<string, string>;
  address: string;
  receivedAt: string;
}

/** What is done with a header of a certain name. */
interface KeptHeader {
  isKept: boolean;
  rule: HeaderRule;
  /** The name with its quotes and colon. */
  member: string;
  /** The last plain value and its JSON text, since many headers have the same value in every request. */
  value: string | undefined;
  text: string;
}

/**
 * Writes the requests of a source as JSON text. Leaves out headers that say nothing about what was sent and are not
 * signed, and masks secrets. A signature stays: without the secret it is worth nothing.
 */
export class KeptRequests {
  private readonly headers = new Map<string, KeptHeader>();
  private readonly how: string;

  constructor(
    readonly mask: Mask,
    provider: string,
    scheme: string,
  ) {
    this.how = `"provider":${quoted(provider)},"scheme":${quoted(scheme)},"keyHint":`;
  }

  /** Returns the members of a KeptRequest. */
  membersOf({ method, path, query, headers, address, receivedAt }: RequestFacts): string {
    const { mask } = this;
    return (
      `"method":${quoted(method)},"path":${quoted(maskedPath(path, mask))},"query":${keptQuery(query, mask)},` +
      `"headers":{${this.headersOf(headers)}},"address":${quoted(address)},"receivedAt":"${utcText(receivedAt.getTime())}"`
    );
  }

  /** Returns the members that say how the request was verified. */
  verificationOf({ keyHint }: Verified): string {
    return this.how + (keyHint === undefined ? 'null' : quoted(keyHint));
  }

  private headersOf(headers: RequestFacts['headers']): string {
    let text = '';
    let count = 0;
    for (const name of Object.keys(headers)) {
      const value = headers[name];
      const header = value === undefined ? undefined : this.headerOf(name);
      if (!header?.isKept) continue;
      if (count > 0) text += ',';
      text += header.member + this.textOf(header, Array.isArray(value) ? value.join(', ') : (value as string));
      if (++count === MAX_HEADERS) break;
    }
    return text;
  }

  private headerOf(name: string): KeptHeader {
    const known = this.headers.get(name);
    if (known) return known;
    const isKept = !isOfTheWay(name) || this.mask.shown.headers.has(name);
    const rule = headerRule(name, this.mask);
    const header = { isKept, rule, member: `${quoted(name)}:`, value: undefined, text: '' };
    if (this.headers.size < MAX_NAMES) this.headers.set(name, header);
    return header;
  }

  private textOf(header: KeptHeader, value: string): string {
    if (header.value === value) return header.text;
    const text = quoted(maskedHeader(header.rule, value, this.mask));
    if (header.rule === 'plain' && value.length <= MAX_REPEATED_LENGTH) {
      header.value = value;
      header.text = text;
    }
    return text;
  }
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
