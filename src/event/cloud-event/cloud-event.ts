import { decodeUtf8, isJson, scanJsonObject } from '../json/json-text';
import { invalidEvent, type ErrorDetail } from '../problems';
import { dataOfBase64, dataOfBody, dataOfMember, type CloudEventData } from './cloud-event-data';
import { readExtensions, type Extensions } from './cloud-event-extensions';
import type { CloudEventParts } from './cloud-event-parts';

/**
 * Converts a CloudEvent 1.0 to the JSON text of an event envelope, which is then read like any other event. Values are
 * copied as slices of the original text, so `data` stays exactly as it was sent. Attributes that the envelope has no
 * field for are kept beside it.
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

export type EnvelopeText = { text: string; parts: CloudEventParts } | { errors: ErrorDetail[] };

/** Reads a CloudEvent in structured mode. Returns undefined when the bytes are not one JSON object. */
export function fromStructured(bytes: Buffer): EnvelopeText | undefined {
  const text = decodeUtf8(bytes);
  if (text === undefined || !isJsonObject(text)) return undefined;
  const { members, repeated } = scanJsonObject(text);
  if (repeated !== undefined) return { errors: [invalidAttribute(repeated, 'must not occur twice')] };
  const attributes = new Map<string, string>();
  for (const [name, { start, end }] of members) {
    const json = text.slice(start, end);
    if (json !== 'null') attributes.set(name, json); // in CloudEvents' JSON format, null means "not set"
  }
  const data = dataOfStructured(attributes);
  return 'errors' in data ? data : envelopeText(attributes, data);
}

function dataOfStructured(attributes: ReadonlyMap<string, string>): CloudEventData | { errors: ErrorDetail[] } {
  const [type, json, base64] = ['datacontenttype', 'data', 'data_base64'].map((name) => attributes.get(name));
  const contentType = type?.startsWith('"') ? (JSON.parse(type) as string) : undefined;
  if (base64 === undefined) return dataOfMember(contentType, json ?? 'null');
  if (json !== undefined) return { errors: [invalidAttribute('data', 'must not be combined with data_base64')] };
  const data = dataOfBase64(contentType, JSON.parse(base64));
  return (
    data ?? { errors: [invalidAttribute('data_base64', 'must be a string in padded base64 (RFC 4648, section 4)')] }
  );
}

/** Reads a CloudEvent in binary mode: percent-encoded attributes in `ce-` headers, data in the body. */
export function fromBinary(headers: Record<string, string | string[] | undefined>, body: Buffer): EnvelopeText {
  const errors: ErrorDetail[] = [];
  const attributes = new Map<string, string>();
  const contentType = headers['content-type'];
  if (typeof contentType === 'string') attributes.set('datacontenttype', JSON.stringify(contentType));
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith('ce-') || value === undefined) continue;
    const name = header.slice(3);
    const text = unquoted(String(value));
    // Some producers, the JavaScript SDK among them, send their extensions unencoded, such as `100%`.
    const decoded = percentDecoded(text) ?? (NO_EXTENSIONS.has(name) ? undefined : utf8OfHeader(text));
    if (decoded === undefined) errors.push(invalidAttribute(name, 'must be percent-encoded UTF-8'));
    else if (NOT_IN_HEADERS.has(name) && decoded !== contentType)
      errors.push(invalidAttribute(name, 'must not be a header: in binary mode, it is the body or its Content-Type'));
    else attributes.set(name, JSON.stringify(decoded));
  }
  if (errors.length > 0) return { errors };
  return envelopeText(attributes, dataOfBody(typeof contentType === 'string' ? contentType : undefined, body));
}

const NOT_IN_HEADERS: ReadonlySet<string> = new Set(['data', 'data_base64', 'datacontenttype']);

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

/** @param attributes JSON text of each attribute, in the order sent */
function envelopeText(attributes: ReadonlyMap<string, string>, data: CloudEventData): EnvelopeText {
  const missing = REQUIRED.filter((name) => !attributes.has(name));
  if (missing.length > 0) return { errors: missing.map((name) => invalidAttribute(name, 'is required')) };
  if (attributes.get('specversion') !== '"1.0"') return { errors: [invalidAttribute('specversion', 'must be "1.0"')] };
  const parts = readExtensions(extensionsOf(attributes), data);
  if ('errors' in parts) return parts;
  const members = ATTRIBUTES.flatMap((name) => {
    const value = attributes.get(name) ?? (name === 'subject' ? attributes.get('source') : undefined);
    return value === undefined ? [] : [`${JSON.stringify(FIELD_OF[name])}:${value}`];
  });
  return { text: `{${members.join(',')},"payload":${data.payload}}`, parts };
}

/** `partitionkey` is both a field of the envelope and an extension. */
function extensionsOf(attributes: ReadonlyMap<string, string>): Extensions {
  return [...attributes].filter(([name]) => name === 'partitionkey' || !NO_EXTENSIONS.has(name));
}

const NO_EXTENSIONS: ReadonlySet<string> = new Set([...ATTRIBUTES, 'data', 'data_base64']);

/** Older producers quote a value that contains spaces or quotes. The quotes are removed before percent-decoding. */
function unquoted(text: string): string {
  const inner = /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
  return inner === undefined ? text : inner.replace(/\\(.)/g, '$1');
}

function percentDecoded(text: string): string | undefined {
  // Only %XX is an escape; a plus sign stands for itself.
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined;
  return utf8OfHeader(text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))));
}

/** Node decodes headers as Latin-1. */
function utf8OfHeader(text: string): string | undefined {
  return decodeUtf8(Buffer.from(text, 'latin1'));
}

function isJsonObject(text: string): boolean {
  return isJson(text) && /^\s*\{/.test(text);
}

const invalidAttribute = (name: string, message: string): ErrorDetail => invalidEvent(`/${name}`, message);
