import { Readable } from 'node:stream';
import fc from 'fast-check';
import type { IngestResult } from '../../../src/ingest/store/store-batch';
import { streamFormat, type StreamFormat } from '../../../src/ingest/formats/stream-formats';
import { StreamPacer } from '../../../src/ingest/stream/stream-pacer';
import { StreamIngest } from '../../../src/ingest/stream/stream-ingest';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call } from '../../support/e2e-http';

const MAX_EVENT_BYTES = 1_024;

let database: TestDatabase;
let streamforge: TestApp;
beforeAll(async () => {
  database = await createTestDatabase();
  streamforge = await startTestApp(database.url, {
    MAX_EVENT_BYTES: String(MAX_EVENT_BYTES),
    TENANT_RATE_LIMIT_PER_MINUTE: '0',
  });
});
afterAll(async () => {
  await streamforge.close();
  await database.drop();
});

const event = (subject: string, payload: string, further = ''): string =>
  `{"eventType":"sale","subject":"${subject}"${further},"payload":${payload}}`;

/** Few subjects, ids and payloads, so that duplicates and conflicts are frequent. */
const subject = fc.constantFrom('a', 'b', 'c');
const eventId = fc.constantFrom('1', '2');
const payload = fc.constantFrom('1', '1.0', '10.10', 'null', '{"é":"€😀"}', '[12345678901234567890]');
const good = fc.tuple(subject, payload).map(([name, value]) => Buffer.from(event(name, value)));
const named = fc
  .tuple(subject, payload, eventId)
  .map(([name, value, id]) => Buffer.from(event(name, value, `,"eventId":"${id}"`)));
const bad = fc.constantFrom(
  ...['{"eventType":"sale","subject":"a","payload":', 'not json', 'null', '"text"', '{}', '{"payload":1}'],
  ...[event('a', '1', ',"typo":1'), event('a', '1', ',"occurredAt":"yesterday"'), event('', '1')],
  ...[event('a', '"\\u0000"'), event('a', '"\\ud800"'), event('a', '['.repeat(65) + ']'.repeat(65))],
);
const notUtf8 = Buffer.concat([
  Buffer.from('{"eventType":"sale","subject":"a","payload":"'),
  Buffer.from([0xff, 0x22, 0x7d]),
]);
/** Sizes from two bytes below the limit to two above it, and one far above it. */
const sized = fc.constantFrom(-2, -1, 0, 1, 2, 5_000).map((over) => {
  const frame = event('large', '""').length;
  return Buffer.from(event('large', `"${'x'.repeat(MAX_EVENT_BYTES + over - frame)}"`));
});
const record = fc.oneof(
  good,
  named,
  bad.map((text) => Buffer.from(text)),
  fc.constant(notUtf8),
  sized,
);

interface Upload {
  records: Buffer[];
  body: Buffer;
}
const upload = fc
  .record({
    records: fc.array(record, { minLength: 1, maxLength: 25 }),
    lineEnd: fc.constantFrom('\n', '\r\n', '\n\n', '\n \t\n'),
    bom: fc.boolean(),
    lastLineEnds: fc.boolean(),
  })
  .map(({ records, lineEnd, bom, lastLineEnds }): Upload => {
    const parts = records.flatMap((bytes, i) =>
      i < records.length - 1 || lastLineEnds ? [bytes, Buffer.from(lineEnd)] : [bytes],
    );
    return { records, body: Buffer.concat([...(bom ? [Buffer.from('\ufeff')] : []), ...parts]) };
  });
/** Where the upload is split: anywhere, even in the middle of a character. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 });

describe('a stream of any records, split into chunks anywhere', () => {
  it('gives each record the result that it gets when sent alone', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(upload, cuts, async ({ records, body }, at) => {
        run += 1;
        const alone: string[] = [];
        for (const bytes of records) alone.push(await verdictAlone(`alone-${run}`, bytes));
        const together = await verdictsOfStream(`stream-${run}`, chunksOf(body, at));
        expect(together).toEqual(alone);
      }),
      { numRuns: 150 },
    );
  });
});

async function verdictAlone(tenant: string, body: Buffer): Promise<string> {
  const { status, body: answer } = await call<{ code?: string; status: string }>(`${streamforge.url}/v1/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-tenant-id': tenant },
    body,
  });
  return status < 300 ? answer.status : (answer.code as string);
}

async function verdictsOfStream(tenantId: string, chunks: Buffer[]): Promise<string[]> {
  const verdicts: string[] = [];
  const onResult = (number: number, result: IngestResult): void => {
    expect(number).toBe(verdicts.length + 1);
    verdicts.push(result.kind === 'rejected' ? result.rejection.code : result.kind);
  };
  const context = { tenantId, correlationId: 'test', traceparent: undefined, idempotencyKey: undefined };
  const refusal = (): Promise<undefined> => Promise.resolve(undefined);
  const pace = streamforge.app.get(StreamPacer, { strict: false }).admit({ ...context, refusal });
  const { problem } = await streamforge.app.get(StreamIngest, { strict: false }).ingest({
    body: Readable.from(chunks),
    request: { method: 'POST', url: '/v1/ingest/stream', ip: '127.0.0.1', headers: {} },
    endpoint: 'stream',
    context,
    pace,
    format: streamFormat('application/x-ndjson') as StreamFormat,
    encoding: undefined,
    onResult,
  });
  pace.close();
  expect(problem).toBeUndefined();
  return verdicts;
}

function chunksOf(body: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((share) => Math.floor(share * body.length)))].sort((a, b) => a - b);
  const chunks = [...places, body.length].map((end, i) => body.subarray(places[i - 1] ?? 0, end));
  return chunks.filter(({ length }) => length > 0);
}
