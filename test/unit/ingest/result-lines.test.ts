import * as fs from 'node:fs';
import { setImmediate as tick } from 'node:timers/promises';
import * as fc from 'fast-check';
import { ResultLines } from '../../../src/ingest/stream/result-lines';

/** A few dozen lines of this length exceed the memory limit. */
const FILLER = 'é'.repeat(30_000);
const big = (n: number) => ({ record: n, filler: FILLER });

function openFiles(): number {
  if (process.platform !== 'linux') return NaN;
  return fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).includes('streamforge-response');
    } catch {
      return false; // closed since it was listed
    }
  }).length;
}
const expectOpenFiles = (count: number) => expect([count, NaN]).toContain(openFiles());

async function readAll(lines: ResultLines): Promise<unknown[]> {
  const text = Buffer.concat((await lines.toArray()) as Buffer[]).toString();
  if (text === '') return [];
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('ResultLines', () => {
  afterEach(() => expectOpenFiles(0));

  it('sends lines in order that are written before, during and after a read', async () => {
    const lines = new ResultLines();
    lines.line({ n: 1 });
    const all = readAll(lines);
    lines.line({ n: 2 });
    await tick();
    lines.line({ n: 3 });
    lines.line({ n: 4 });
    await tick();
    lines.end();
    expect(await all).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
  });

  it('ends without any line', async () => {
    const lines = new ResultLines();
    lines.end();
    expect(await readAll(lines)).toEqual([]);
    const later = new ResultLines();
    const all = readAll(later);
    await tick();
    later.end();
    expect(await all).toEqual([]);
  });

  it('moves unread lines to a file beyond the memory limit and still sends them in order', async () => {
    const lines = new ResultLines();
    const written = Array.from({ length: 100 }, (_, n) => big(n));
    for (const [n, line] of written.entries()) {
      lines.line(line);
      if (n === 2) expectOpenFiles(0);
    }
    expectOpenFiles(1);
    lines.end();
    expect(await readAll(lines)).toEqual(written);
  });

  it('keeps a line whole that is larger than the memory limit', async () => {
    const lines = new ResultLines();
    const huge = { filler: 'x'.repeat(3_000_000) };
    lines.line(huge);
    lines.line({ n: 1 });
    lines.end();
    expect(await readAll(lines)).toEqual([huge, { n: 1 }]);
  });

  it('uses memory again, and no file, after the reader has caught up', async () => {
    const lines = new ResultLines();
    const reader = lines[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    for (let round = 1; round <= 2; round++) {
      for (let n = 0; n < 60; n++) lines.line(big(n));
      expectOpenFiles(1);
      let wanted = 60 * (Buffer.byteLength(JSON.stringify(big(0))) + 1) + 50; // 50 records of two digits
      while (wanted > 0) wanted -= ((await reader.next()).value as Buffer).length;
      expect(wanted).toBe(0);
      lines.line({ n: round });
      expect(String((await reader.next()).value)).toBe(`{"n":${round}}\n`);
      expectOpenFiles(0);
    }
    lines.end();
    expect((await reader.next()).done).toBe(true);
  });

  it('sends lines in order however writes and reads alternate', async () => {
    const steps = fc.array(fc.oneof(fc.constant('read' as const), fc.nat(40)), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(steps, async (turns) => {
        const lines = new ResultLines();
        let text = '';
        const expected: number[] = [];
        for (const turn of turns) {
          if (turn === 'read') {
            text += String((lines.read() as Buffer | null) ?? '');
            await tick();
          } else {
            for (let i = 0; i < turn; i++) {
              expected.push(expected.length);
              lines.line({ record: expected.length - 1, filler: FILLER.slice(0, i % 2 ? 30_000 : 1) });
            }
          }
        }
        lines.end();
        text += Buffer.concat((await lines.toArray()) as Buffer[]).toString();
        expect(Array.from(text.matchAll(/"record":(\d+)/g), ([, n]) => Number(n))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('closes its file and discards further lines when the client disconnects', async () => {
    const lines = new ResultLines();
    for (let n = 0; n < 60; n++) lines.line(big(n));
    expectOpenFiles(1);
    lines.destroy();
    await tick();
    expectOpenFiles(0);
    for (let n = 0; n < 60; n++) lines.line(big(n));
    lines.end();
    expectOpenFiles(0);
    expect(lines.destroyed).toBe(true);
  });

  it('does not complete the response when a waiting client disconnects', async () => {
    const lines = new ResultLines();
    lines.line({ n: 1 });
    lines.resume();
    await tick();
    lines.destroy();
    lines.line({ n: 2 });
    lines.end();
    await tick();
    expect(lines.readableEnded).toBe(false); // an aborted response is not complete
  });
});
