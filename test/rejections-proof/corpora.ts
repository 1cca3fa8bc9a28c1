import { BREAKERS } from './broken-records';
import type { Sending, SentRecord } from './sending';

/** Every so many records, one is broken. */
const BROKEN_EVERY = 7;
const MAX_RECORDS_OF_ARRAY = 200;

/** Good events: as JSON, one a line, or as elements of XML. */
export interface Corpus {
  name: string;
  format: 'json' | 'xml';
  records: readonly string[];
}

const JSON_TYPE = { 'content-type': 'application/json' };

/** Returns the records, of which every seventh is broken, each time in another way. */
function withBroken(
  records: readonly string[],
  kind: keyof typeof BREAKERS,
  maxBytes: number,
  prepared: (record: string) => string = (record) => record,
): SentRecord[] {
  const breakers = BREAKERS[kind];
  return records.map((record, i) => {
    const good = prepared(record);
    if (i % BROKEN_EVERY !== BROKEN_EVERY - 1) return { bytes: Buffer.from(good), isBroken: false };
    const broken = breakers[((i + 1) / BROKEN_EVERY) % breakers.length]?.(good, maxBytes) ?? '';
    return { bytes: Buffer.from(broken), isBroken: true };
  });
}

/** @param sourcePath path of a source that takes one envelope a request */
export function sendingsOf(corpus: Corpus, sourcePath: string, maxBytes: number): Sending[] {
  const { name, records } = corpus;
  const of = (way: string): { 'x-tenant-id': string } => ({ 'x-tenant-id': `${name}-${way}` });
  if (corpus.format === 'xml') return [xmlStream(`${name}: XML`, of('xml'), withBroken(records, 'xml', maxBytes))];
  const lines = withBroken(records, 'line', maxBytes);
  const ndjson = { ...of('ndjson'), 'content-type': 'application/x-ndjson' };
  const xml = withBroken(records, 'xml', maxBytes, xmlEvent);
  return [
    stream(`${name}: NDJSON`, '/v1/ingest/stream', ndjson, lines, '', '\r\n', ''),
    xmlStream(`${name}: JSON in XML`, of('json-xml'), xml),
    ...parts(records).flatMap((part, i) => arrays(`${name}, part ${i}`, of(`array-${i}`), part, maxBytes)),
    ...lines.map((one, i) => single(`${name}: event ${i + 1}`, '/v1/events', { ...of('single'), ...JSON_TYPE }, one)),
    ...lines.map((one, i) => single(`${name}: source ${i + 1}`, sourcePath, JSON_TYPE, one)),
  ];
}

const arrays = (name: string, of: Record<string, string>, records: readonly string[], maxBytes: number): Sending[] => {
  const elements = withBroken(records, 'element', maxBytes);
  const cloudEvents = withBroken(records, 'cloud-event', maxBytes, cloudEvent);
  const batch = { 'x-tenant-id': `${of['x-tenant-id']}-ce`, 'content-type': 'application/cloudevents-batch+json' };
  return [
    stream(`${name}: array`, '/v1/events', { ...of, ...JSON_TYPE }, elements, '[ ', ' ,\n', ']'),
    stream(`${name}: CloudEvents`, '/v1/events', batch, cloudEvents, '[', ',', ']'),
  ];
};

function parts(records: readonly string[]): (readonly string[])[] {
  const count = Math.ceil(records.length / MAX_RECORDS_OF_ARRAY);
  return Array.from({ length: count }, (_, i) =>
    records.slice(i * MAX_RECORDS_OF_ARRAY, (i + 1) * MAX_RECORDS_OF_ARRAY),
  );
}

function xmlStream(name: string, of: Record<string, string>, records: SentRecord[]): Sending {
  const headers = { ...of, 'content-type': 'application/xml' };
  return stream(name, '/v1/ingest/stream', headers, records, '<?xml version="1.0"?>\n<events>', '\n', '</events>');
}

function stream(
  name: string,
  path: string,
  headers: Record<string, string>,
  records: SentRecord[],
  start: string,
  between: string,
  end: string,
): Sending {
  const pieces = records.flatMap(({ bytes }, i) => (i === 0 ? [bytes] : [Buffer.from(between), bytes]));
  return { name, path, headers, records, body: Buffer.concat([Buffer.from(start), ...pieces, Buffer.from(end)]) };
}

function single(name: string, path: string, headers: Record<string, string>, record: SentRecord): Sending {
  return { name, path, headers, body: record.bytes, records: [record] };
}

function cloudEvent(line: string): string {
  const { eventId, type, eventType = type, subject, payload } = JSON.parse(line) as Record<string, unknown>;
  return JSON.stringify({ specversion: '1.0', id: eventId, source: '/p', type: eventType, subject, data: payload });
}

const escaped = (text: unknown): string => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;');

function xmlEvent(line: string): string {
  const { eventId, type, eventType = type, subject, payload } = JSON.parse(line) as Record<string, unknown>;
  return (
    `<event><eventId>${escaped(eventId)}</eventId><eventType>${escaped(eventType)}</eventType>` +
    `<subject>${escaped(subject)}</subject>\r\n<payload>${escaped(JSON.stringify(payload))}</payload></event>`
  );
}
