import { Readable } from 'node:stream';
import { prepareEvent } from '../../../src/event/prepare-event';
import { NdjsonRecords } from '../../../src/ingest/formats/ndjson-records';
import { PrepareRecords, type PreparedRecord } from '../../../src/ingest/formats/prepare-records';

const LIMIT = 64;
const context = { tenantId: 'acme', correlationId: 'c', traceparent: undefined, idempotencyKey: undefined };
const rules = {
  MAX_EVENT_BYTES: LIMIT,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_OCCURRED_AT: true,
  DEDUPE_INCLUDE_EVENT_ID: true,
} as const;

describe('PrepareRecords', () => {
  it('prepares each record in order and rejects a bad one alone', async () => {
    const good = '{"eventType":"t","subject":"s","payload":1}';
    const records = Readable.from([Buffer.from(`${good}\n{oops}\n${'x'.repeat(1_000)}\n`), Buffer.from(good)])
      .pipe(new NdjsonRecords(LIMIT, () => false))
      .pipe(new PrepareRecords(({ bytes }) => prepareEvent(bytes, context, rules)));
    const made = ((await records.toArray()) as PreparedRecord[][]).flat();
    expect(
      made.map(({ record, made }) => [record.number, 'rejection' in made ? made.rejection.code : 'prepared']),
    ).toEqual([
      [1, 'prepared'],
      [2, 'malformed-body'],
      [3, 'event-too-large'],
      [4, 'prepared'],
    ]);
  });

  it('lets other work run while it refuses the many records of one chunk', async () => {
    const records = Array.from({ length: 20_000 }, (_, i) => ({ number: i + 1, bytes: Buffer.from('x') }));
    const prepare = new PrepareRecords(({ bytes }) => prepareEvent(bytes, context, rules));
    let turns = 0;
    const count = (): void => void ((turns += 1), prepare.readableEnded || setImmediate(count));
    setImmediate(count);
    const arrays = (await Readable.from([records]).pipe(prepare).toArray()) as PreparedRecord[][];
    expect(arrays.flat().map(({ record }) => record.number)).toEqual(records.map(({ number }) => number));
    expect(Math.max(...arrays.map(({ length }) => length))).toBeLessThanOrEqual(2_000);
    expect(turns).toBeGreaterThan(10);
  });
});
