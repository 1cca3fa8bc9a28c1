import { gzipSync } from 'node:zlib';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call } from '../../support/e2e-http';

const LIMIT = 2_048;
const EVENTS = '/v1/events';
const STREAM = '/v1/ingest/stream';
const CLOUD_EVENT = '{"specversion":"1.0","id":"1","source":"s","type":"t","data":"\\u20ac €"';

/** How one event is sent, as large as the limit or larger by some bytes. */
interface Way {
  url: string;
  headers: Record<string, string>;
  body: (bytes: number) => string;
  encode?: (body: string) => Buffer;
}
/** Fills the event with white space, which belongs to its size wherever it is inside the event. */
const filled = (start: string, end: string, bytes: number): string =>
  `${start}${' '.repeat(bytes - Buffer.byteLength(start + end))}${end}`;
const envelope = (bytes: number): string => filled('{"type":"t","subject":"€","payload":["\\u20ac", 1.50', ']}', bytes);
const xml = (bytes: number): string =>
  filled('<event type="t" subject="&#8364; €"><payload><a/><!-- -->', '</payload></event>', bytes);
const type = (contentType: string): Record<string, string> => ({ 'content-type': contentType });

const WAYS: Record<string, Way> = {
  JSON: { url: EVENTS, headers: type('application/json'), body: envelope },
  'a CloudEvent': {
    url: EVENTS,
    headers: type('application/cloudevents+json'),
    body: (bytes) => filled(CLOUD_EVENT, '}', bytes),
  },
  'a binary CloudEvent': {
    url: EVENTS,
    headers: { ...type('application/json'), 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': 's', 'ce-type': 't' },
    body: (bytes) => filled('["€"', ']', bytes),
  },
  'a batch of CloudEvents': {
    url: EVENTS,
    headers: type('application/cloudevents-batch+json'),
    body: (bytes) => `\n[\n  ${filled(CLOUD_EVENT, '}', bytes)}\n]\n`,
  },
  NDJSON: { url: STREAM, headers: type('application/x-ndjson'), body: (bytes) => `\ufeff${envelope(bytes)}\r\n\n` },
  'gzipped NDJSON': {
    url: STREAM,
    headers: { ...type('application/x-ndjson'), 'content-encoding': 'gzip' },
    body: envelope,
    encode: (body) => gzipSync(body),
  },
  XML: {
    url: STREAM,
    headers: type('application/xml'),
    body: (bytes) => `<?xml version="1.0"?>\n<é>\n${xml(bytes)}\r\n</é>`,
  },
};

describe('the size of an event is that of the bytes received', () => {
  let database: TestDatabase;
  let running: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    running = await startTestApp(database.url, { MAX_EVENT_BYTES: String(LIMIT) });
  });
  afterAll(async () => {
    await running.close();
    await database.drop();
  });

  it.each(Object.entries(WAYS))('%s', async (name, { url, headers, body, encode = (text) => Buffer.from(text) }) => {
    const tenant = name.replaceAll(' ', '-');
    const send = (bytes: number) =>
      call(`${running.url}${url}`, {
        method: 'POST',
        headers: { ...headers, 'x-tenant-id': tenant },
        body: encode(body(bytes)),
      });
    const over = await send(LIMIT + 1);
    expect(over.text).toContain('event-too-large');
    expect((await send(LIMIT)).status).toBe(202);
    const { rows } = await database.pool.query('select size_bytes from events where tenant_id = $1', [tenant]);
    expect(rows).toEqual([{ size_bytes: LIMIT }]);
  });
});
