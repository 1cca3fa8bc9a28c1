import { Writable } from 'node:stream';
import { LogOutput } from '../../../src/observability/log-output';

/** A stream whose reader takes each line only when the test says so. */
class Pipe extends Writable {
  readonly taken: string[] = [];
  private readonly waiting: (() => void)[] = [];
  reads = false;

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(line: string | Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    const take = (): void => {
      this.taken.push(line.toString());
      done();
    };
    if (this.reads) take();
    else this.waiting.push(take);
  }

  read(): void {
    this.reads = true;
    for (const take of this.waiting.splice(0)) take();
  }
}

const LINE = `{"msg":"${'x'.repeat(1_000)}"}\n`;

describe('the log output', () => {
  it('keeps a megabyte for a reader that does not read, and counts the lines that it loses', async () => {
    const pipe = new Pipe();
    const output = new LogOutput(pipe);
    for (let i = 0; i < 2_000; i++) output.write(LINE);
    expect(pipe.writableLength).toBeLessThan(1_100_000);
    expect(output.lostLines).toBeGreaterThan(900);
    const { lostLines } = output;
    pipe.read();
    await output.flushed(10_000);
    output.write('{"msg":"again"}\n');
    await output.flushed(10_000);
    const lines = pipe.taken.filter(Boolean);
    expect(lines).toHaveLength(2_000 - lostLines + 2);
    expect(JSON.parse(lines.at(-2) as string)).toMatchObject({
      level: 'warn',
      msg: 'log.lines-lost',
      count: lostLines,
    });
    expect(lines.at(-1)).toBe('{"msg":"again"}\n');
    expect(output.lostLines).toBe(lostLines);
  });

  it('waits no longer than it is told to at the end', async () => {
    const output = new LogOutput(new Pipe());
    output.write(LINE);
    await output.flushed(20);
    expect(output.lostLines).toBe(0);
  });

  it('counts lines that the system refuses', async () => {
    const disk = new Writable({
      write: (_line, _encoding, done) => done(Object.assign(new Error('no space left'), { code: 'ENOSPC' })),
    });
    const output = new LogOutput(disk);
    output.write(LINE);
    await new Promise(setImmediate);
    expect(output.lostLines).toBe(1);
  });
});
