import { decodeUtf8, isJson, scanJsonObject } from '../json/json-text';
import { invalidEvent, type ErrorDetail } from '../problems';

/**
 * CloudEvents 1.0 → the JSON text of our own envelope, which then goes the way of every event. Values are moved as
 * slices of text, so that data stays exactly as it was sent. Extension attributes other than `partitionkey` have no
 * place in the envelope and are not kept.
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

/** Binary data has no JSON of its own; under this name CloudEvents' JSON format carries it too. */
const BASE64_NAME = 'data_base64';

export type EnvelopeText = { text: string } | { errors: ErrorDetail[] };

/** Structured mode: one JSON object. Undefined when it is none; the caller's own reading then says why. */
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
    return { errors: [invalidAttribute('data', 'must not stand beside data_base64')] };
  const data = base64 === undefined ? slice('data') : `{${JSON.stringify(BASE64_NAME)}:${base64}}`;
  const attribute = (name: string): string | undefined => {
    const value = slice(name);
    return value === 'null' ? undefined : value; // in CloudEvents' JSON format null means: not set
  };
  return envelopeText(attribute, data ?? 'null');
}

/** Binary mode: attributes in `ce-` headers, percent-encoded; the body is the data. */
export function fromBinary(headers: Record<string, string | string[] | undefined>, body: Buffer): EnvelopeText {
  const errors: ErrorDetail[] = [];
  const attribute = (name: string): string | undefined => {
    const sent = headers[`ce-${name}`];
    if (sent === undefined) return undefined;
    const decoded = percentDecoded(unquoted(String(sent)));
    if (decoded === undefined) errors.push(invalidAttribute(name, 'is not percent-encoded UTF-8'));
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

/** True when the request says that it is a CloudEvent in binary mode. */
export function isBinaryCloudEvent(headers: Record<string, unknown>): boolean {
  return headers['ce-specversion'] !== undefined || headers['ce-id'] !== undefined || headers['ce-type'] !== undefined;
}

/** The name that the producer used for a place in the envelope: `/eventType` → `/type`. */
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

/** JSON data as its own text, text as a string, anything else in base64. */
function dataText(type: string, body: Buffer): string {
  if (body.length === 0) return 'null';
  const text = decodeUtf8(body);
  if (type === 'application/json' || type.endsWith('+json'))
    return text !== undefined && isJson(text) ? text : MALFORMED_DATA;
  if (type.startsWith('text/') && text !== undefined) return JSON.stringify(text);
  return JSON.stringify({ [BASE64_NAME]: body.toString('base64') });
}

/** Makes the whole envelope malformed, so that it is refused like any broken body. The data itself could add members. */
const MALFORMED_DATA = '(not JSON)';

/** Older producers send a value with spaces or quotes as a quoted string, which is undone before the percent-encoding. */
function unquoted(text: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
  return inner === undefined ? text : inner.replace(/\\(.)/g, '$1');
}

function percentDecoded(text: string): string | undefined {
  // Only %XX is an escape here; a plus sign is a plus sign.
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
