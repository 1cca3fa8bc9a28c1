import { decodeUtf8, isJson, scanJsonObject } from '../json/json-text';
import { invalidEvent, type ErrorDetail } from '../problems';

/**
 * Converts a CloudEvent 1.0 to the JSON text of an event envelope, which is then read like any other event. Values are
 * copied as slices of the original text, so `data` stays exactly as it was sent. Extension attributes other than
 * `partitionkey` are dropped: the envelope has no field for them.
 */

/** The media type of one CloudEvent in structured mode. */
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json';

/** CloudEvents attribute → envelope field. */
const FIELD_OF = {
  id: 'eventId',
  type: 'eventType',
  source: 'source',
  subject: 'subject',
  time: 'occurredAt',
  specversion: 'specVersion',
  partitionkey: 'partitionKey',
} as const;
type Attribute = keyof typeof FIELD_OF;

const ATTRIBUTES = Object.keys(FIELD_OF) as Attribute[];
const REQUIRED: Attribute[] = ['id', 'source', 'specversion', 'type'];

/** Name of the member that holds binary data in base64, as in CloudEvents' JSON format. */
const BASE64_NAME = 'data_base64';

export type EnvelopeText = { text: string } | { errors: ErrorDetail[] };

/** Reads a CloudEvent in structured mode. Returns undefined when the bytes are not one JSON object. */
export function fromStructured(bytes: Buffer): EnvelopeText | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined || !isJsonObject(text)) return undefined;
  const { members, repeated } = scanJsonObject(text);
  if (repeated !== undefined) return { errors: [invalidAttribute(repeated, 'must not occur twice')] };
  const slice = (name: string): string | undefined => {
    const at = members.get(name);
    return at && text.slice(at.start, at.end);
  };
  const base64 = slice(BASE64_NAME);
  if (base64 !== undefined && members.has('data'))
    return { errors: [invalidAttribute('data', 'must not be combined with data_base64')] };
  const data = base64 === undefined ? slice('data') : `{${JSON.stringify(BASE64_NAME)}:${base64}}`;
  const attribute = (name: string): string | undefined => {
    const value = slice(name);
    return value === 'null' ? undefined : value; // in CloudEvents' JSON format, null means "not set"
  };
  return envelopeText(attribute, data ?? 'null');
}

/** Reads a CloudEvent in binary mode: percent-encoded attributes in `ce-` headers, data in the body. */
export function fromBinary(headers: Record<string, string | string[] | undefined>, body: Buffer): EnvelopeText {
  const errors: ErrorDetail[] = [];
  const attribute = (name: string): string | undefined => {
    const sent = headers[`ce-${name}`];
    if (sent === undefined) return undefined;
    const decoded = percentDecoded(unquoted(String(sent)));
    if (decoded === undefined) errors.push(invalidAttribute(name, 'must be percent-encoded UTF-8'));
    return JSON.stringify(decoded ?? '');
  };
  const type =
    String(headers['content-type'] ?? 'application/json')
      .split(';', 1)[0]
      ?.trim()
      .toLowerCase() ?? '';
  const envelope = envelopeText(attribute, dataText(type, body));
  return errors.length > 0 ? { errors } : envelope;
}

/** True when a `ce-` header marks the request as a CloudEvent in binary mode. */
export function isBinaryCloudEvent(headers: Record<string, unknown>): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined || headers['ce-type'] !== undefined;
}

/** Translates a pointer into the envelope to the attribute names of CloudEvents: `/eventType` → `/type`. */
export function cloudEventPointer(pointer: string): string {
  const [, field = '', ...rest] = pointer.split('/');
  const attribute = field === 'payload' ? 'data' : ATTRIBUTES.find((name) => FIELD_OF[name] === field);
  return ['', attribute ?? field, ...rest].join('/');
}

function envelopeText(valueOf: (attribute: string) => string | undefined, data: string): EnvelopeText {
  const missing = REQUIRED.filter((name) => valueOf(name) === undefined);
  if (missing.length > 0) return { errors: missing.map((name) => invalidAttribute(name, 'is required')) };
  const version = valueOf('specversion');
  if (version !== '"1.0"') return { errors: [invalidAttribute('specversion', 'must be "1.0"')] };
  const members = ATTRIBUTES.flatMap((name) => {
    const value = valueOf(name) ?? (name === 'subject' ? valueOf('source') : undefined);
    return value === undefined ? [] : [`${JSON.stringify(FIELD_OF[name])}:${value}`];
  });
  return { text: `{${members.join(',')},"payload":${data}}` };
}

/** Keeps JSON data as its own text, turns text into a JSON string, and encodes anything else in base64. */
function dataText(type: string, body: Buffer): string {
  if (body.length === 0) return 'null';
  const text = decodeUtf8(body);
  if (type === 'application/json' || type.endsWith('+json'))
    return text !== undefined && isJson(text) ? text : MALFORMED_DATA;
  if (type.startsWith('text/') && text !== undefined) return JSON.stringify(text);
  return JSON.stringify({ [BASE64_NAME]: body.toString('base64') });
}

/**
 * Replaces data that is not JSON. It makes the envelope malformed, so that the event is rejected like any broken body.
 * The data itself could add members to the envelope.
 */
const MALFORMED_DATA = '(not JSON)';

/** Older producers quote a value that contains spaces or quotes. The quotes are removed before percent-decoding. */
function unquoted(text: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
  return inner === undefined ? text : inner.replace(/\\(.)/g, '$1');
}

function percentDecoded(text: string): string | undefined {
  // Only %XX is an escape; a plus sign stands for itself.
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  return decodeUtf8(
    Buffer.from(
      text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
      'latin1',
    ),
  );
}

function isJsonObject(text: string): boolean {
  return isJson(text) && /^\s*\{/.test(text);
}

const invalidAttribute = (name: string, message: string): ErrorDetail => invalidEvent(`/${name}`, message);
