import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { JsonArrayRecords } from '../../../src/ingest/formats/json-array-records';
import type { StreamRecord } from '../../../src/ingest/formats/ndjson-records';
import { streamSource } from '../../support/stream-source';

const LIMIT = 40;

async function read(chunks: (Buffer | string)[], maxBytes?: number) {
  const source = streamSource(chunks, maxBytes);
  const records = Readable.from(source.chunks()).pipe(new JsonArrayRecords(LIMIT, source));
  const arrays = (await records.toArray()) as StreamRecord[][];
  return { arrays, elements: arrays.flat().map(({ bytes }) => bytes.toString()), fault: source.brokenBy };
}
async function elementsOf(...chunks: (Buffer | string)[]): Promise<string[]> {
  const { arrays, elements, fault } = await read(chunks);
  expect(fault).toBeUndefined();
  expect(arrays.flat().map(({ number }) => number)).toEqual(elements.map((_, i) => i + 1));
  return elements.map((element) => element.trim());
}

describe('the elements of a JSON array', () => {
  it.each([
    ['none', '[]', []],
    ['none but white space', ' \r\n[\t ] \n', []],
    ['none after a BOM', '\ufeff[]', []],
    ['one', '[1]', ['1']],
    ['several of every kind', '[{}, [] ,"x",null,-1.0,true]', ['{}', '[]', '"x"', 'null', '-1.0', 'true']],
    ['nested', '[{"a":[1,{"b":[2]}]},[[[],3]]]', ['{"a":[1,{"b":[2]}]}', '[[[],3]]']],
    ['strings with what ends elements', '["],[{","}\\"]","\\\\",2]', ['"],[{"', '"}\\"]"', '"\\\\"', '2']],
    ['elements that are not JSON', '[nul,{"a"},[}]', ['nul', '{"a"}', '[}']],
  ])('are found: %s', async (_what, text, elements) => {
    expect(await elementsOf(text)).toEqual(elements);
    expect(await elementsOf(...Array.from(Buffer.from(text), (byte) => Buffer.from([byte])))).toEqual(elements);
  });

  it('are those that JSON.parse finds, however the bytes are split', async () => {
    const values = fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(values, fc.boolean(), fc.array(fc.nat(300)), async (array, pretty, cuts) => {
        const bytes = Buffer.from(JSON.stringify(array, null, pretty ? 2 : 0));
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        const source = streamSource(chunks);
        const records = Readable.from(source.chunks()).pipe(new JsonArrayRecords(bytes.length, source));
        const found = ((await records.toArray()) as StreamRecord[][]).flat();
        expect(found.map((record) => JSON.parse(record.bytes.toString()) as unknown)).toEqual(
          JSON.parse(bytes.toString()),
        );
        expect(source.brokenBy).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('are emitted as one array for each chunk that completes any', async () => {
    const { arrays } = await read(['[1,2,{"a"', ':"', ',"},3', ']']);
    expect(arrays.map((records) => records.map(({ number }) => number))).toEqual([[1, 2], [3], [4]]);
  });

  it('are cut just beyond the limit when too large, and their neighbours stay whole', async () => {
    const [most, large] = [`"${'x'.repeat(LIMIT - 2)}"`, `["${'],'.repeat(500)}",{"a":"}"}]`];
    const { elements, fault } = await read([
      `[${most},${large.slice(0, 90)}`,
      large.slice(90, 700),
      `${large.slice(700)},1]`,
    ]);
    expect(fault).toBeUndefined();
    expect(elements).toEqual([most, large.slice(0, LIMIT + 1), '1']);
  });

  it('are measured without the white space around them', async () => {
    const gap = '\n '.repeat(LIMIT);
    const most = `"${'x'.repeat(LIMIT - 2)}"`;
    const { elements, fault } = await read([`[${gap}${most}${gap},${gap}`, `1${gap}]${gap}`]);
    expect(fault).toBeUndefined();
    expect(elements).toEqual([most, '1']);
  });

  it('are too large when data follows the white space', async () => {
    const { elements } = await read([`["${'x'.repeat(LIMIT - 2)}"${' '.repeat(LIMIT)}x]`]);
    expect(elements.map(({ length }) => length)).toEqual([LIMIT + 1]);
  });
});

describe('a body that is not a JSON array', () => {
  it.each([
    ['nothing', '', []],
    ['white space', ' \n', []],
    ['an object', '{"a":[1]}', []],
    ['a word', 'true', []],
    ['text before it', 'x[1]', []],
    ['an array without end', '[1,2', ['1']],
    ['a string without end', '[1,"2]', ['1']],
    ['an element without end', '[1,{"a":[2]', ['1']],
    ['a missing element', '[1,,2]', ['1']],
    ['a missing first element', '[,1]', []],
    ['a comma at the end', '[1,]', ['1']],
    ['a comma alone', '[,]', []],
    ['something after it', '[1]2', ['1']],
    ['another array after it', '[1]\n[2]', ['1']],
    ['a brace at its end', '[1,{}}', ['1']],
  ])('is malformed: %s', async (_what, text, before) => {
    for (const chunks of [[text], Array.from(text)]) {
      const { elements, fault } = await read(chunks);
      expect(fault).toMatchObject({ code: 'malformed-body', detail: expect.stringMatching(/JSON array/) as string });
      expect(elements).toEqual(before);
    }
  });

  it('is not reported for an array that broke off for another reason', async () => {
    const { elements, fault } = await read(['[1,2,', '3,4,5]'], 7);
    expect(fault).toMatchObject({ code: 'stream-too-large' });
    expect(elements).toEqual(['1', '2', '3']);
  });
});
