import { CLOUD_EVENT_TYPE, isBinaryCloudEvent } from '../event/cloud-event/cloud-event';
import { JSON_TYPE, type RouteBody } from '../http/route-body';
import { CLOUD_EVENT_REF, ENVELOPE_REF } from './event.requests';
import { CLOUD_EVENT_EXAMPLE, EVENT_EXAMPLE } from './formats/examples';
import { refusedEncoding } from './decoding/content-decoder';
import { formatsOf, STREAM_ANSWERS, streamFormat, type Endpoint, type StreamFormat } from './formats/stream-formats';

/** Bodies of POST /v1/events. The data of a CloudEvent in binary mode may have any media type. */
export const EVENT_BODY: RouteBody = {
  mediaTypes: [JSON_TYPE, CLOUD_EVENT_TYPE, ...mediaTypesOf('POST /v1/events')],
  endpointFor: (mediaType) => streamFormat(mediaType)?.endpoint,
  answers: STREAM_ANSWERS,
  refusedEncoding,
  takesBody: (mediaType, headers) => {
    if (mediaType === JSON_TYPE || mediaType === CLOUD_EVENT_TYPE) return true;
    const format = streamFormat(mediaType);
    return format?.endpoint === 'POST /v1/events' || isBinaryCloudEvent(headers);
  },
  reading: (mediaType, headers) => {
    const format = streamFormat(mediaType);
    if (format && (format.endpoint === 'POST /v1/events' || !isBinaryCloudEvent(headers))) return 'stream';
    return mediaType === JSON_TYPE && !isBinaryCloudEvent(headers) ? 'stream-if-array' : 'whole';
  },
  keepsRefused: true,
};

/** Bodies of POST /v1/ingest/stream. */
export const STREAM_BODY: RouteBody = {
  mediaTypes: mediaTypesOf('POST /v1/ingest/stream'),
  endpointFor: (mediaType) => (EVENT_BODY.mediaTypes.includes(mediaType) ? 'POST /v1/events' : undefined),
  answers: STREAM_ANSWERS,
  refusedEncoding,
  takesBody: (mediaType) => streamFormat(mediaType)?.endpoint === 'POST /v1/ingest/stream',
  reading: () => 'stream',
  keepsRefused: true,
};

export const EVENT_REQUEST = {
  required: true,
  content: {
    [JSON_TYPE]: {
      schema: { oneOf: [...ENVELOPE_REF.anyOf, { type: 'array' as const, items: ENVELOPE_REF }] },
      examples: {
        event: { summary: 'One event', value: EVENT_EXAMPLE },
        array: { summary: 'Several events', value: [EVENT_EXAMPLE, { ...EVENT_EXAMPLE, subject: 'order-1002' }] },
      },
    },
    [CLOUD_EVENT_TYPE]: { schema: CLOUD_EVENT_REF, example: CLOUD_EVENT_EXAMPLE },
    ...documented(formatsOf('POST /v1/events')),
  },
};

const STREAMED = formatsOf('POST /v1/ingest/stream');
export const STREAM_REQUEST = { required: true, content: documented(STREAMED) };
/** For example "NDJSON or XML". */
export const STREAM_FORMAT_NAMES = STREAMED.map(({ name }) => name).join(' or ');

function mediaTypesOf(endpoint: Endpoint): string[] {
  return formatsOf(endpoint).flatMap(({ mediaTypes }) => mediaTypes);
}

function documented(formats: readonly StreamFormat[]) {
  return Object.fromEntries(formats.map(({ mediaTypes, documentation }) => [mediaTypes[0], documentation]));
}
