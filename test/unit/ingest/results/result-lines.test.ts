import * as fs from 'node:fs';
import { setImmediate as tick } from 'node:timers/promises';
import * as fc from 'fast-check';
import { ResultLines } from '../../../../src/ingest/results/result-lines';
import { Spill } from '../../../../src/ingest/results/spill';
import { Metrics } from '../../../../src/observability/metrics';
import { Problem } from '../../../../src/event/problems';

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

const END = { summary: 'all' };
const end = (lines: ResultLines): void => lines.end((lost) => (lost ? { lost: lost.code } : END));

async function readAll(lines: ResultLines): Promise<unknown[]> {
  const text = Buffer.concat((await lines.toArray()) as Buffer[]).toString();
  expect(text.endsWith('\n')).toBe(true);
  return text
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('ResultLines', () => {
  const spill = new Spill({ SPILL_DIRECTORY: undefined, SPILL_MAX_BYTES: 100_000_000 }, new Metrics());
  const resultLines = (open = () => spill.open('acme')): ResultLines => new ResultLines(open);

  afterEach(() => expectOpenFiles(0));

  it('sends lines in order that are written before, during and after a read', async () => {
    const lines = resultLines();
    lines.line({ n: 1 });
    const all = readAll(lines);
    lines.line({ n: 2 });
    await tick();
    lines.line({ n: 3 });
    lines.line({ n: 4 });
    await tick();
    end(lines);
    expect(await all).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, END]);
  });

  it('ends without any line', async () => {
    const lines = resultLines();
    end(lines);
    expect(await readAll(lines)).toEqual([END]);
    const later = resultLines();
    const all = readAll(later);
    await tick();
    end(later);
    expect(await all).toEqual([END]);
  });

  it('moves unread lines to a file beyond the memory limit and still sends them in order', async () => {
    const lines = resultLines();
    const written = Array.from({ length: 100 }, (_, n) => big(n));
    for (const [n, line] of written.entries()) {
      lines.line(line);
      if (n === 2) expectOpenFiles(0);
    }
    expectOpenFiles(1);
    end(lines);
    expect(await readAll(lines)).toEqual([...written, END]);
  });

  it('keeps a line whole that is larger than the memory limit', async () => {
    const lines = resultLines();
    const huge = { filler: 'x'.repeat(3_000_000) };
    lines.line(huge);
    lines.line({ n: 1 });
    end(lines);
    expect(await readAll(lines)).toEqual([huge, { n: 1 }, END]);
  });

  it('uses memory again, and no file, after the reader has caught up', async () => {
    const lines = resultLines();
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
    end(lines);
    expect(String((await reader.next()).value)).toBe(`${JSON.stringify(END)}\n`);
    expect((await reader.next()).done).toBe(true);
  });

  it('sends lines in order however writes and reads alternate', async () => {
    const steps = fc.array(fc.oneof(fc.constant('read' as const), fc.nat(40)), { maxLength: 15 });
    await fc.assert(
      fc.asyncProperty(steps, async (turns) => {
        const lines = resultLines();
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
        end(lines);
        text += Buffer.concat((await lines.toArray()) as Buffer[]).toString();
        expect(Array.from(text.matchAll(/"record":(\d+)/g), ([, n]) => Number(n))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it('closes its file and discards further lines when the client disconnects', async () => {
    const lines = resultLines();
    for (let n = 0; n < 60; n++) lines.line(big(n));
    expectOpenFiles(1);
    lines.destroy();
    await tick();
    expectOpenFiles(0);
    for (let n = 0; n < 60; n++) lines.line(big(n));
    end(lines);
    expectOpenFiles(0);
    expect(lines.destroyed).toBe(true);
  });

  it('does not complete the response when a waiting client disconnects', async () => {
    const lines = resultLines();
    lines.line({ n: 1 });
    lines.resume();
    await tick();
    lines.destroy();
    lines.line({ n: 2 });
    end(lines);
    await tick();
    expect(lines.readableEnded).toBe(false); // an aborted response is not complete
  });

  describe('without room on the disk', () => {
    const full = (): ResultLines => {
      const lines = resultLines(() => undefined);
      for (let n = 0; n < 10; n++) lines.line(big(n));
      return lines;
    };
    const isSettled = async (promise: Promise<unknown>): Promise<boolean> => {
      let settled = false;
      promise.then(
        () => (settled = true),
        () => (settled = true),
      );
      await tick();
      await tick();
      return settled;
    };

    it('have room until memory is used up, and then when their reader has caught up', async () => {
      const lines = resultLines(() => undefined);
      lines.line(big(0));
      await lines.room();
      for (let n = 1; n < 10; n++) lines.line(big(n));
      const room = lines.room();
      expect(await isSettled(room)).toBe(false);
      const reader = lines[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      let read = 0;
      while (!(await isSettled(room))) read += ((await reader.next()).value as Buffer).length;
      expect(read).toBeGreaterThan(256 * 1024);
      await room;
    });

    it('keep their order', async () => {
      const lines = full();
      end(lines);
      expect(await readAll(lines)).toEqual([...Array.from({ length: 10 }, (_, n) => big(n)), END]);
    });

    it('do not wait once the client has disconnected', async () => {
      const lines = full();
      const room = lines.room();
      lines.destroy();
      await room;
      await lines.room();
    });

    it('I15: do not wait when the process shuts down', async () => {
      const lines = full();
      const room = lines.room();
      const problem = new Problem('overloaded', 'shutting down');
      lines.refuseToWait(problem);
      await expect(room).rejects.toBe(problem);
      await expect(lines.room()).rejects.toBe(problem);
      end(lines);
      expect((await readAll(lines)).at(-1)).toEqual(END);
    });

    it('a disk that refuses a line in the middle loses none', async () => {
      let appended = 0;
      const lines = resultLines(() => {
        const file = spill.open('acme');
        const append = file?.append.bind(file);
        if (file && append) file.append = (bytes) => ++appended < 8 && append(bytes);
        return file;
      });
      const written = Array.from({ length: 30 }, (_, n) => big(n));
      for (const line of written) lines.line(line);
      expect(appended).toBe(8);
      end(lines);
      expect(await readAll(lines)).toEqual([...written, END]);
    });
  });

  it('that are lost on the disk end with a problem', async () => {
    const lines = resultLines(() => {
      const file = spill.open('acme');
      if (file)
        file.read = () => {
          throw new Error('EIO');
        };
      return file;
    });
    for (let n = 0; n < 20; n++) lines.line(big(n));
    end(lines);
    const all = await readAll(lines);
    expect(all.at(-1)).toEqual({ lost: 'internal-error' });
    expect(all.slice(0, -1)).toEqual(Array.from({ length: all.length - 1 }, (_, n) => big(n)));
    await expect(lines.room()).rejects.toMatchObject({ code: 'internal-error' });
    expect(lines.readableEnded).toBe(true);
  });
});
