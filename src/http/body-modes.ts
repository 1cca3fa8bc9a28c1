import type { IncomingHttpHeaders } from 'node:http';
import { isBinaryCloudEvent } from '../event/cloud-event/cloud-event';
import { Problem } from '../event/problems';

/**
 * How a route takes its body: `parsed` JSON for the admin endpoints; one `event` as the bytes that came, since JSON.parse
 * loses; or a `stream` that is not read before the route asks for it.
 */
export type BodyMode = 'parsed' | 'event' | 'stream';

/** For @RouteConfig on routes that do not take parsed JSON. */
export const EVENT_BODY: { bodyMode: BodyMode } = { bodyMode: 'event' };
export const STREAM_BODY: { bodyMode: BodyMode } = { bodyMode: 'stream' };

const JSON_TYPE = 'application/json';
export const CLOUD_EVENT_TYPE = 'application/cloudevents+json';
export const CLOUD_EVENTS_BATCH_TYPE = 'application/cloudevents-batch+json';
export const NDJSON_TYPES = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
export const XML_TYPES = ['application/xml', 'text/xml'];

/** The types whose bodies are handed over unread. */
export const STREAMED_TYPES = [...NDJSON_TYPES, ...XML_TYPES, CLOUD_EVENTS_BATCH_TYPE];

/** The Content-Type without parameters, in lower case; empty when there is none. */
export function mediaTypeOf(headers: IncomingHttpHeaders): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/** Why a body is refused before a byte of it is read; null when it may come. */
export function refusedBody(mode: BodyMode, headers: IncomingHttpHeaders): Problem | null {
  const type = mediaTypeOf(headers);
  const streamed = STREAMED_TYPES.includes(type);
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && !streamed) {
    // Stored undecoded, it would pass for the event itself.
    return new Problem('unsupported-content-encoding', 'Send this body without a Content-Encoding.');
  }
  if (type === '' && !hasBody(headers)) return null;
  return takesType(mode, type, headers)
    ? null
    : new Problem('unsupported-media-type', 'This endpoint does not take that Content-Type.');
}

function takesType(mode: BodyMode, type: string, headers: IncomingHttpHeaders): boolean {
  if (mode === 'stream') return NDJSON_TYPES.includes(type) || XML_TYPES.includes(type);
  if (mode === 'parsed') return type === JSON_TYPE;
  if (type === JSON_TYPE || type === CLOUD_EVENT_TYPE || type === CLOUD_EVENTS_BATCH_TYPE) return true;
  return isBinaryCloudEvent(headers) && !STREAMED_TYPES.includes(type); // its data may be of any type
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
