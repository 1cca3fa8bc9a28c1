import type { Transform } from 'node:stream';
import { prepareStructured } from '../../event/cloud-event/prepare-cloud-event';
import { prepareEvent, type ContentRules, type PrepareResult, type RequestContext } from '../../event/prepare-event';
import { JSON_TYPE } from '../../http/route-body';
import { CLOUD_EVENT_REF } from '../event.requests';
import type { StreamSource } from '../stream/stream-source';
import { CLOUD_EVENT_EXAMPLE, EVENT_EXAMPLE } from './examples';
import { JsonArrayRecords } from './json-array-records';
import type { KEPT_FORMATS } from './kept-records';
import { NdjsonRecords } from './ndjson-records';
import { XmlRecords } from './xml-records';

const TEXT = { type: 'string' as const };

export type Endpoint = 'POST /v1/events' | 'POST /v1/ingest/stream';

/** How a body with many records is split into them, and how a record becomes an event. */
export interface RecordFormat {
  /** How a rejected record is read again. */
  keptAs: keyof typeof KEPT_FORMATS;
  records: (maxRecordBytes: number, source: StreamSource) => Transform;
  prepare: (
    bytes: Buffer,
    context: RequestContext,
    rules: ContentRules,
    receivedBytes: number | undefined,
  ) => PrepareResult;
}

/** A format with media types of its own. */
export interface StreamFormat extends RecordFormat {
  name: string;
  endpoint: Endpoint;
  /** The OpenAPI document shows the first one. */
  mediaTypes: readonly [string, ...string[]];
  documentation: { schema: typeof TEXT | { type: 'array'; items: typeof CLOUD_EVENT_REF }; example: unknown };
}

export const NDJSON: StreamFormat = {
  name: 'NDJSON',
  keptAs: 'event',
  endpoint: 'POST /v1/ingest/stream',
  mediaTypes: ['application/x-ndjson', 'application/ndjson', 'application/jsonl'],
  records: (max, source) => new NdjsonRecords(max, () => source.isBroken),
  prepare: prepareEvent,
  documentation: {
    schema: TEXT,
    example: ['order-1', 'order-2'].map((subject) => `${JSON.stringify({ ...EVENT_EXAMPLE, subject })}\n`).join(''),
  },
};

/** An array of envelopes. It has the media type of a single event; its first byte tells them apart. */
export const EVENT_ARRAY: RecordFormat = {
  keptAs: 'event',
  records: (max, source) => new JsonArrayRecords(max, source),
  prepare: prepareEvent,
};

/** All formats of streams and batches. A new format needs an entry here and a parser for its records. */
const STREAM_FORMATS: readonly StreamFormat[] = [
  NDJSON,
  {
    name: 'XML',
    keptAs: 'xml',
    endpoint: 'POST /v1/ingest/stream',
    mediaTypes: ['application/xml', 'text/xml'],
    records: (max, source) => new XmlRecords(max, source),
    prepare: prepareEvent,
    documentation: {
      schema: TEXT,
      example:
        '<events><event><eventType>sale.completed</eventType><subject>order-3</subject><payload>{"amount":10.10}</payload></event></events>',
    },
  },
  {
    name: 'batch of CloudEvents',
    keptAs: 'cloudevent',
    endpoint: 'POST /v1/events',
    mediaTypes: ['application/cloudevents-batch+json'],
    records: (max, source) => new JsonArrayRecords(max, source),
    prepare: prepareStructured,
    documentation: { schema: { type: 'array', items: CLOUD_EVENT_REF }, example: [CLOUD_EVENT_EXAMPLE] },
  },
];

const BY_MEDIA_TYPE = new Map(
  STREAM_FORMATS.flatMap((format) => format.mediaTypes.map((mediaType) => [mediaType, format] as const)),
);

/** Media types of the response to a stream: a summary, or with NDJSON a line per record. */
export const STREAM_ANSWERS = [JSON_TYPE, ...NDJSON.mediaTypes] as const;

/** Returns the format of a media type, or undefined when bodies of that type are not streamed. */
export function streamFormat(mediaType: string | undefined): StreamFormat | undefined {
  return mediaType === undefined ? undefined : BY_MEDIA_TYPE.get(mediaType);
}

/** Returns the formats that an endpoint accepts. */
export function formatsOf(endpoint: Endpoint): readonly StreamFormat[] {
  return STREAM_FORMATS.filter((format) => format.endpoint === endpoint);
}
