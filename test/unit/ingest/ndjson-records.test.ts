import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { NdjsonRecords, type StreamRecord } from '../../../src/ingest/formats/ndjson-records';

const LIMIT = 64;

/** Returns the arrays of records that the chunks become. */
async function arraysOf(chunks: (Buffer | string)[], maxLineBytes = LIMIT): Promise<StreamRecord[][]> {
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return (await source.pipe(new NdjsonRecords(maxLineBytes, () => false)).toArray()) as StreamRecord[][];
}
async function recordsOf(chunks: (Buffer | string)[], maxLineBytes = LIMIT): Promise<[number, string][]> {
  const arrays = await arraysOf(chunks, maxLineBytes);
  return arrays.flat().map(({ number, bytes }) => [number, bytes.toString()]);
}
/** One chunk per byte. */
const bytewise = (text: string): Buffer[] => [...Buffer.from(text)].map((byte) => Buffer.from([byte]));

describe('NDJSON', () => {
  it.each([
    ['lines', 'a\nb\n', ['a', 'b']],
    ['a last line without its end', 'a\nb', ['a', 'b']],
    ['lines that end in CRLF', 'a\r\nb\r\n', ['a', 'b']],
    ['a CR within a line', 'a\rb\r\r\nc', ['a\rb\r', 'c']],
    ['a BOM at the start', '\ufeffa\nb', ['a', 'b']],
    ['a BOM elsewhere, which is content', 'a\n\ufeffb', ['a', '\ufeffb']],
    ['nothing but a BOM', '\ufeff', []],
    ['nothing', '', []],
    ['lines of only a BOM, which are blank', '\ufeff\n\ufeff\r\na\n\ufeff \n\ufeff', ['a']],
    ['two BOMs, the second of which is content', 'a\n\ufeff\ufeff\nb', ['a', '\ufeff\ufeff', 'b']],
    ['blank lines', '\n\r\n  \n\t\na\n\n\nb\n \r\n', ['a', 'b']],
    ['characters of many bytes', 'ñ€\n😀\n', ['ñ€', '😀']],
    ['spaces around a record', ' a \n', [' a ']],
  ])('reads %s, in one chunk and byte by byte', async (_what, text, records) => {
    const numbered = records.map((record, i) => [i + 1, record]);
    expect(await recordsOf([text])).toEqual(numbered);
    expect(await recordsOf(bytewise(text))).toEqual(numbered);
  });

  it('yields one array for each chunk that completes records', async () => {
    const arrays = await arraysOf(['a\nb\nc', 'd', 'e\n', '\n\n', 'f']);
    expect(arrays.map((records) => records.map(({ bytes }) => bytes.toString()))).toEqual([['a', 'b'], ['cde'], ['f']]);
  });

  it('yields the same records however the bytes are split', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', '€', '😀', '\n', '\r', ' ', '\ufeff'), maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(150)), async (stream, cuts) => {
        const bytes = Buffer.from(stream);
        const ends = [...cuts, bytes.length].toSorted((a, b) => a - b);
        const chunks = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
        expect(await recordsOf(chunks, 8)).toEqual(await recordsOf([bytes], 8));
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['', '\n'],
    ['', '\r\n'],
    ['', ''],
    ['\ufeff', '\n'],
    ['\ufeff', '\r\n'],
  ])('keeps a line of exactly the limit whole (before it %j, after it %j)', async (before, after) => {
    const line = 'x'.repeat(LIMIT);
    expect(await recordsOf([`${before}${line}${after}`])).toEqual([[1, line]]);
  });

  it.each(['', '\ufeff'])(
    'cuts a line just beyond the limit and continues with the next line (before it %j)',
    async (bom) => {
      for (const length of [LIMIT + 1, LIMIT + 2, 1_000_000]) {
        const [tooLong, next] = (await arraysOf([`${bom}${'x'.repeat(length)}\nnext`])).flat();
        expect(tooLong?.bytes.length).toBeGreaterThan(LIMIT);
        expect(tooLong?.bytes.length).toBeLessThan(LIMIT + 8);
        expect(next).toEqual({ number: 2, bytes: Buffer.from('next') });
      }
    },
  );

  it('skips an over-long line of white space', async () => {
    expect(await recordsOf([`${' '.repeat(1_000)}\na`])).toEqual([[1, 'a']]);
  });

  it('does not skip a line whose white space alone is longer than the limit', async () => {
    const [tooLong, next] = (await arraysOf([`${' '.repeat(1_000)}{}`, '\na'])).flat();
    expect(tooLong?.number).toBe(1);
    expect(tooLong?.bytes.length).toBeGreaterThan(LIMIT);
    expect(next).toEqual({ number: 2, bytes: Buffer.from('a') });
  });
});
