import type { DeliveryFormat } from './delivery-format';

/** Headers that each delivery to a destination has, by name. */
export type StaticHeaders = Readonly<Record<string, string>>;

export const STATIC_HEADER_LIMITS = { count: 20, bytes: 8_192, nameLength: 128 } as const;

const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Visible ASCII, with spaces and tabs inside. */
const VALUE = /^[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?$/;
const JSON_TYPE = /^application\/(?:[\w!#$&^.+-]+\+)?json(?:; ?charset=utf-8)?$/i;
/** Formats whose body is JSON of any type. */
const FREE_TYPE: readonly DeliveryFormat[] = ['event', 'payload'];

/** What belongs to the connection (RFC 9110, section 7.6.1) or to the framing of the body. */
const OF_CONNECTION = [
  ...[
    'connection',
    'keep-alive',
    'proxy-connection',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
  ],
  ...[
    'host',
    'content-length',
    'content-encoding',
    'content-range',
    'expect',
    'proxy-authorization',
    'proxy-authenticate',
  ],
];
/** What StreamForge sends itself. */
const OF_STREAMFORGE = ['x-correlation-id', 'traceparent', 'tracestate'];
const PREFIXES_OF_STREAMFORGE = ['webhook-', 'ce-'];

/** Returns what is wrong with one header, for the operator who wrote it. */
export function headerFault(name: string, value: unknown, format: DeliveryFormat): string | undefined {
  if (name.length > STATIC_HEADER_LIMITS.nameLength || !NAME.test(name)) return 'is not the name of a header';
  if (typeof value !== 'string' || !VALUE.test(value)) {
    return 'must be visible ASCII text without spaces at its ends';
  }
  return nameFault(name) ?? typeFault(name, value, format);
}

/** Returns why a header cannot be set, whatever its value. */
export function nameFault(name: string): string | undefined {
  const lower = name.toLowerCase();
  if (OF_CONNECTION.includes(lower)) return 'belongs to the connection and cannot be set';
  const isOurs = OF_STREAMFORGE.includes(lower) || PREFIXES_OF_STREAMFORGE.some((prefix) => lower.startsWith(prefix));
  return isOurs ? 'is set by StreamForge' : undefined;
}

function typeFault(name: string, value: string, format: DeliveryFormat): string | undefined {
  if (name.toLowerCase() !== 'content-type') return undefined;
  if (!FREE_TYPE.includes(format)) return `is set by the format ${format}`;
  return JSON_TYPE.test(value) ? undefined : 'must be a JSON media type, such as application/vnd.example+json';
}
