import { hash } from 'node:crypto';
import type { Transform } from 'node:stream';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { JsonArrayRecords } from '../../../src/ingest/formats/json-array-records';
import { NdjsonRecords, type StreamRecord } from '../../../src/ingest/formats/ndjson-records';
import { XmlRecords } from '../../../src/ingest/formats/xml-records';

const MAX = 64;
const SOURCE = { isBroken: false, breakOff: (problem: Error) => expect(problem).toBeUndefined() };

const xml = (content: string): string => `<event a="é"\r\n b = '1'>${content}</event >`;
/** Name → parser, records, and how they make a body. */
const FORMATS: Record<string, [() => Transform, string[], (records: string[]) => string]> = {
  NDJSON: [
    () => new NdjsonRecords(MAX, () => false),
    ['{"a":1}', ' 東京 ', 'x'.repeat(67), `${'é'.repeat(40)}\r`, `{"a":"${'y'.repeat(300)}"}  `, '[]', 'z\r\ry'],
    (records) => `\ufeff${records.join('\r\n')}`,
  ],
  'a JSON array': [
    () => new JsonArrayRecords(MAX, SOURCE),
    ['{"a":[1,2]}', '"東京,]"', `"${'x'.repeat(70)}"`, `{"a":   "${'é'.repeat(90)}" }`, 'nonsense', '7'],
    (records) => `\n[ ${records.join('\t, \n')}${' '.repeat(200)}]`,
  ],
  XML: [
    () => new XmlRecords(MAX, SOURCE),
    [
      '',
      '<a>é東</a>',
      '<!-- </event> --><b/>',
      `<c>${'x'.repeat(300)}</c>`,
      `<d>${'東'.repeat(30)}\r\n</d>`,
      '&#233;',
    ].map(xml),
    (records) => `<?xml version="1.0"?>\r\n<é xmlns:p="urn:p">\r\n${records.join('\r\n ')}</é>\r\n`,
  ],
};

describe.each(Object.entries(FORMATS))('records of %s', (_, [parser, records, toBody]) => {
  it('have their bytes as received, however the body is cut into chunks', async () => {
    const body = Buffer.from(toBody(records));
    const places = fc.oneof(
      fc.constant(Array.from(body.keys())), // byte by byte
      fc.array(fc.nat(body.length), { maxLength: 12 }),
    );
    await fc.assert(
      fc.asyncProperty(places, async (at) => {
        const ends = [...new Set([...at, body.length])].sort((a, b) => a - b).filter((end) => end > 0);
        const chunks = ends.map((end, i) => body.subarray(ends[i - 1] ?? 0, end));
        const read = ((await Readable.from(chunks).pipe(parser()).toArray()) as StreamRecord[][]).flat();
        expect(read.map(({ number }) => number)).toEqual(records.map((_record, i) => i + 1));
        read.forEach((record, i) => expectReceived(record, Buffer.from(records[i] as string)));
      }),
      { numRuns: 60 },
    );
  });
});

function expectReceived({ bytes, receivedText, whole }: StreamRecord, sent: Buffer): void {
  const kept = Buffer.from(receivedText ?? bytes);
  const size = whole ?? { sizeBytes: kept.length, digest: hash('sha256', kept, 'buffer') };
  expect({ size: size.sizeBytes, digest: size.digest.toString('hex') }).toEqual({
    size: sent.length,
    digest: hash('sha256', sent),
  });
  expect(kept.subarray(0, MAX).equals(sent.subarray(0, MAX))).toBe(true);
}
