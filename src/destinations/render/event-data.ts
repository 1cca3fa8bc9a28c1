import { isJsonContentType } from '../../event/cloud-event/cloud-event-data';
import type { JsonDocument } from '../../expressions/json-document';

/** What a delivery carries, with its media type. */
export type EventData = { contentType: string } & ({ json: string } | { text: string } | { bytes: Buffer });

const JSON_TYPE = 'application/json';

export const jsonData = (json: string): EventData => ({ contentType: JSON_TYPE, json });

/**
 * Returns the data of an event. A CloudEvent may have data that is not JSON: it was kept as a JSON string, or as
 * `{ "@contentType", "@text" | "@base64" }`.
 */
export function dataOf(event: JsonDocument): EventData {
  const payload = event.at(['payload']);
  if (!payload) return jsonData('null');
  const declared = event.at(['extensions', 'datacontenttype'])?.value;
  const contentType = typeof declared === 'string' ? declared : JSON_TYPE;
  const { value } = payload;
  if (isWrapped(value, contentType)) {
    return '@text' in value
      ? { contentType, text: value['@text'] }
      : { contentType, bytes: Buffer.from(value['@base64'], 'base64') };
  }
  if (isJsonContentType(contentType)) return { contentType, json: payload.text };
  return typeof value === 'string' ? { contentType, text: value } : jsonData(payload.text);
}

export function bytesOf(data: EventData): Buffer {
  if ('bytes' in data) return data.bytes;
  return Buffer.from('json' in data ? data.json : data.text);
}

type Wrapped = { '@text': string } | { '@base64': string };

function isWrapped(value: unknown, contentType: string): value is Wrapped {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 2) return false;
  const { '@contentType': type, '@text': text, '@base64': base64 } = value as Record<string, unknown>;
  return type === contentType && (typeof text === 'string' || typeof base64 === 'string');
}
