import { isUtf8 } from 'node:buffer';
import { canonicalJson } from '../json/canonical-json';
import { decodeUtf8, isJson } from '../json/json-text';

/** The data of a CloudEvent as a payload. */
export interface CloudEventData {
  /** JSON text of the payload. */
  payload: string;
  /** How data that is not JSON is written. Hashed, because JSON data may look like `{ "@contentType", "@text" }`. */
  encoding?: 'text' | 'base64';
  canonicalPayload?: string;
  legacyPayload?: string;
}

/** CloudEvents without `datacontenttype` have JSON data. */
const DEFAULT_TYPE = 'application/json';
const TEXT_TYPE =
  /^text\/|\+xml$|^application\/(?:xml|x-ndjson|ndjson|jsonl|x-www-form-urlencoded|javascript|yaml|sql)$/;
const UTF8_CHARSET = /^(?:utf-?8|us-ascii)$/i;

/** Reads the body of a CloudEvent in binary mode. */
export function dataOfBody(contentType: string | undefined, body: Buffer): CloudEventData {
  if (body.length === 0) return { payload: 'null' };
  const type = contentType ?? DEFAULT_TYPE;
  if (isJsonContentType(type)) {
    const text = decodeUtf8(body);
    return { payload: text !== undefined && isJson(text) ? text : MALFORMED_DATA };
  }
  if (isTextType(type) && isUtf8(body) && !body.includes(0)) return textData(type, body.toString());
  return base64Data(type, body.toString('base64'));
}

/** Reads `data` of a CloudEvent in structured mode. Text of another type than JSON is kept as a JSON string. */
export function dataOfMember(contentType: string | undefined, json: string): CloudEventData {
  if (contentType === undefined || isJsonContentType(contentType) || !json.startsWith('"')) return { payload: json };
  // The same event in binary mode has the same hash.
  const { canonicalPayload } = textData(contentType, JSON.parse(json) as string);
  return { payload: json, encoding: 'text', canonicalPayload };
}

/** Reads `data_base64`. Returns undefined unless it is base64 in its one canonical form, so that no bit is dropped. */
export function dataOfBase64(contentType: string | undefined, value: unknown): CloudEventData | undefined {
  if (typeof value !== 'string' || Buffer.from(value, 'base64').toString('base64') !== value) return undefined;
  return base64Data(contentType ?? DEFAULT_TYPE, value);
}

/** True when a content type is that of a CloudEvent without `datacontenttype`. */
export function isDefaultType(contentType: string): boolean {
  return /^\s*application\/json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i.test(contentType);
}

function textData(type: string, text: string): CloudEventData {
  const payload = `{"@contentType":${JSON.stringify(type)},"@text":${JSON.stringify(text)}}`;
  const legacyPayload = canonicalJson(text.replace(/^\ufeff/, ''));
  return {
    payload,
    encoding: 'text',
    canonicalPayload: canonicalJson({ '@contentType': type, '@text': text }),
    legacyPayload,
  };
}

function base64Data(type: string, base64: string): CloudEventData {
  const payload = `{"@contentType":${JSON.stringify(type)},"@base64":"${base64}"}`;
  return { payload, encoding: 'base64', legacyPayload: `{"data_base64":"${base64}"}` };
}

/** True for JSON and for types that are written in JSON, with or without parameters. */
export function isJsonContentType(type: string): boolean {
  return /^[^/]+\/(?:json|[^;]*\+json)$/.test(mediaTypeOf(type));
}

function isTextType(type: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(type)?.[1];
  return TEXT_TYPE.test(mediaTypeOf(type)) && (charset === undefined || UTF8_CHARSET.test(charset));
}

function mediaTypeOf(type: string): string {
  return (type.split(';', 1)[0] as string).trim().toLowerCase();
}

/**
 * Replaces data that is not JSON. It makes the envelope malformed, so that the event is rejected like any broken body.
 * The data itself could add members to the envelope.
 */
const MALFORMED_DATA = '(not JSON)';
