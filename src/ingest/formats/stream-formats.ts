import type { Transform } from 'node:stream';
import { prepareStructured } from '../../event/cloud-event/prepare-cloud-event';
import { prepareEvent, type ContentRules, type PrepareResult, type RequestContext } from '../../event/prepare-event';
import { CLOUD_EVENTS_BATCH_TYPE, NDJSON_TYPES, XML_TYPES } from '../../http/body-modes';
import { JsonArrayRecords } from './json-array-records';
import { NdjsonRecords } from './ndjson-records';
import type { StreamSource } from '../stream/stream-source';
import { XmlRecords } from './xml-records';

/** How the bytes of a stream become records, and how a record becomes an event. */
export interface StreamFormat {
  records: (maxRecordBytes: number, source: StreamSource) => Transform;
  prepare: (bytes: Buffer, context: RequestContext, rules: ContentRules) => PrepareResult;
}

const NDJSON: StreamFormat = {
  records: (max, source) => new NdjsonRecords(max, () => source.isBroken),
  prepare: prepareEvent,
};
const XML: StreamFormat = { records: (max, source) => new XmlRecords(max, source), prepare: prepareEvent };
const CLOUD_EVENTS: StreamFormat = {
  records: (max, source) => new JsonArrayRecords(max, source),
  prepare: prepareStructured,
};

const FORMATS: Record<string, StreamFormat> = {
  ...Object.fromEntries(NDJSON_TYPES.map((type) => [type, NDJSON])),
  ...Object.fromEntries(XML_TYPES.map((type) => [type, XML])),
  [CLOUD_EVENTS_BATCH_TYPE]: CLOUD_EVENTS,
};

/** By media type; undefined for a type that is no stream. */
export function streamFormat(mediaType: string): StreamFormat | undefined {
  return Object.hasOwn(FORMATS, mediaType) ? FORMATS[mediaType] : undefined;
}
