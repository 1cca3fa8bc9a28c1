import { CLOUD_EVENT_TYPE } from '../../event/cloud-event/cloud-event';
import type { JsonDocument } from '../../expressions/json-document';
import { bytesOf, type EventData } from './event-data';

/** A body and the headers that describe it. */
export interface DescribedBody {
  body: Buffer;
  headers: Record<string, string>;
}

/** Envelope field → attribute. */
const ATTRIBUTE_OF = {
  eventId: 'id',
  source: 'source',
  type: 'type',
  subject: 'subject',
  occurredAt: 'time',
  partitionKey: 'partitionkey',
} as const;

/** A CloudEvent 1.0 in structured mode. */
export function structuredCloudEvent(event: JsonDocument, data: EventData, isOfProducer: boolean): DescribedBody {
  const attributes = attributesOf(event, isOfProducer);
  attributes.set('datacontenttype', JSON.stringify(data.contentType));
  if ('json' in data) attributes.set('data', data.json);
  else if ('text' in data) attributes.set('data', JSON.stringify(data.text));
  else attributes.set('data_base64', JSON.stringify(data.bytes.toString('base64')));
  const members = [...attributes].map(([name, json]) => `${JSON.stringify(name)}:${json}`);
  return { body: Buffer.from(`{${members.join(',')}}`), headers: { 'content-type': CLOUD_EVENT_TYPE } };
}

/**
 * A CloudEvent 1.0 in binary mode. An extension is left out if its name cannot be in a header, or if it differs only in
 * case from that of an attribute before it: header names have no case.
 */
export function binaryCloudEvent(event: JsonDocument, data: EventData, isOfProducer: boolean): DescribedBody {
  const headers: Record<string, string> = { 'content-type': mediaType(data.contentType) };
  for (const [name, json] of attributesOf(event, isOfProducer)) {
    const header = `ce-${name.toLowerCase()}`;
    if (!ATTRIBUTE_NAME.test(name) || header === 'ce-datacontenttype' || Object.hasOwn(headers, header)) continue;
    headers[header] = headerValue(json.startsWith('"') ? (JSON.parse(json) as string) : json);
  }
  return { body: bytesOf(data), headers };
}

const ATTRIBUTE_NAME = /^[A-Za-z0-9_.-]{1,100}$/;
/** What describes the data of the producer, and not what a transform has made of it. */
const OF_DATA = new Set(['datacontenttype', 'dataschema']);

/** @returns the JSON text of each attribute besides the data and its type */
function attributesOf(event: JsonDocument, isOfProducer: boolean): Map<string, string> {
  const attributes = new Map([['specversion', '"1.0"']]);
  for (const [field, name] of Object.entries(ATTRIBUTE_OF)) {
    const value = event.at([field])?.value;
    if (typeof value !== 'string' || value === '') continue;
    attributes.set(name, JSON.stringify(name === 'source' ? uriReference(value) : value));
  }
  for (const [name, json] of event.at(['extensions'])?.memberTexts() ?? []) {
    if (attributes.has(name) || name === 'datacontenttype' || (OF_DATA.has(name.toLowerCase()) && !isOfProducer))
      continue;
    attributes.set(name, json);
  }
  const revision = event.at(['revision'])?.value;
  if (typeof revision === 'number' && !attributes.has('revision')) attributes.set('revision', String(revision));
  return attributes;
}

/** The source of a CloudEvent is a URI reference. That of an envelope may be any text. */
function uriReference(text: string): string {
  return text.replace(/[^\w.~:/?#[\]@!$&'()*+,;=%-]+/gu, (part) => encodeURIComponent(part.toWellFormed()));
}

/** Percent-encodes as the HTTP binding of CloudEvents requires: what is not visible ASCII, the quote and `%`. */
function headerValue(text: string): string {
  return text.replace(/[^\x21-\x7e]+|["%]/gu, percentEncoded);
}

/** Returns a media type as the producer wrote it, with quotes and spaces. Only what no header may have is encoded. */
export function mediaType(text: string): string {
  return text.trim().replace(/[^\x20-\x7e]+/gu, percentEncoded);
}

const percentEncoded = (part: string): string =>
  [...Buffer.from(part.toWellFormed())].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
