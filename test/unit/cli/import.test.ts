import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { fileChunks, MOST_BYTES, MOST_RECORDS, type FileChunk } from '../../../src/cli/import/chunks';
import { atStart, readImportProgress, tailOf, writeImportProgress } from '../../../src/cli/import/progress';

async function cut(text: string, size: number, start = { offset: 0, records: 0 }): Promise<FileChunk[]> {
  async function* parts(): AsyncGenerator<Buffer> {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  const chunks: FileChunk[] = [];
  for await (const chunk of fileChunks(parts(), start)) chunks.push(chunk);
  return chunks;
}

describe('a file of records', () => {
  it.each([1, 7, 100_000])('is cut between lines only, read by %d bytes', async (size) => {
    const text =
      Array.from({ length: 2_500 }, (_, n) => `{"n":${n}}\n${n % 3 ? '' : '\r\n'}`).join('') + '{"last":"ü"}';
    const chunks = await cut(text, size);
    expect(chunks.map(({ firstRecord, records }) => [firstRecord, records])).toEqual([
      [1, MOST_RECORDS],
      [1_001, MOST_RECORDS],
      [2_001, 501],
    ]);
    expect(Buffer.concat(chunks.map(({ bytes }) => bytes)).toString()).toBe(text);
    expect(chunks.at(-1)?.end).toBe(Buffer.byteLength(text));
  });

  it('gives the same chunks again when it is read from where one ended', async () => {
    const text = '{"a":1}\n'.repeat(3_000);
    const chunks = await cut(text, 64);
    const { end } = chunks[0] as FileChunk;
    expect(await cut(text.slice(end), 64, { offset: end, records: MOST_RECORDS })).toEqual(chunks.slice(1));
  });

  it('has chunks of bounded size, but for a single line that is longer', async () => {
    const line = `"${'x'.repeat(400_000)}"\n`;
    expect((await cut(line.repeat(5), 65_536)).map(({ records }) => records)).toEqual([2, 2, 1]);
    expect(await cut(`"${'x'.repeat(MOST_BYTES)}"\n1\n`, 65_536)).toHaveLength(2);
  });

  it('may be empty', async () => {
    expect(await cut('', 1)).toEqual([]);
  });
});

describe('the progress', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-progress-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  it('notices that the file has changed before it', () => {
    const file = path.join(folder, 'a.ndjson');
    fs.writeFileSync(file, '1\n2\n3\n');
    const tail = tailOf(file, 4);
    fs.appendFileSync(file, '4\n');
    expect(tailOf(file, 4)).toBe(tail);
    fs.writeFileSync(file, '1\n9\n3\n');
    expect(tailOf(file, 4)).not.toBe(tail);
    expect(tailOf(file, 0)).toBe(atStart(file).tail);
  });

  it('comes back as it was written', () => {
    const place = path.join(folder, 'b', 'p.json');
    expect(readImportProgress(place)).toBeUndefined();
    writeImportProgress(place, atStart('/f'));
    expect(readImportProgress(place)).toEqual(atStart('/f'));
  });
});
