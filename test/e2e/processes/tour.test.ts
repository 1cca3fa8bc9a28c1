import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '../../support/eventually';
import { ADMIN_TOKEN } from '../../support/app';
import { startProcess, type TestProcess } from '../../support/processes/process';

const ROOT = path.resolve(__dirname, '../../..');

interface Step {
  command: string;
  output: string;
}

/** The pairs of a `sh` and a `text` block between the marks of a page. */
function stepsOf(page: string): Step[] {
  const text = fs.readFileSync(path.join(ROOT, page), 'utf8');
  const tour = /<!-- tour -->([\s\S]*)<!-- \/tour -->/.exec(text)?.[1] ?? '';
  const blocks = [...tour.matchAll(/```(sh|text)\n([\s\S]*?)```/g)].map(([, kind, text]) => ({
    kind,
    text: text ?? '',
  }));
  return blocks.flatMap(({ kind, text }, i) =>
    kind === 'sh' ? [{ command: text, output: blocks[i + 1]?.text ?? '' }] : [],
  );
}

/** What differs from run to run is replaced, and so is the wrapping that makes the page readable. */
function comparable(text: string): string {
  return text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/"id":"[0-9a-f]{32}"/g, '"id":"<id>"')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
    .replace(/"durationMs":\d+/g, '"durationMs":1')
    .replace(/"correlationId":"[^"]*"/g, '"correlationId":"<id>"')
    .replace(/http:\/\/127\.0\.0\.1:\d+\/in\/[\w-]{43}/g, '<url of a source>')
    .replace(/\s+/g, '');
}

describe('the tour', () => {
  let directory: string;
  let streamforge: TestProcess;

  beforeAll(async () => {
    directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-tour-'));
    fs.chmodSync(directory, 0o755);
    const env = { STREAMFORGE_DATA_DIR: path.join(directory, 'data') };
    streamforge = await startProcess(env);
    await seed(env);
  });

  afterAll(async () => {
    await streamforge.end('SIGTERM');
    fs.rmSync(directory, { recursive: true, force: true });
  });

  it.each([
    ['README.md', 5],
    ['docs/tour.md', 15],
    ['docs/sources.md', 7],
  ])('prints what %s shows, step by step', async (page, least) => {
    const steps = stepsOf(page);
    expect(steps.length).toBeGreaterThanOrEqual(least);
    for (const { command, output } of steps) {
      const here = command.replaceAll('localhost:3000', new URL(streamforge.url).host);
      if (/-d ['"$]|@six/.test(command)) {
        expect(comparable(await run(here))).toBe(comparable(output)); // sent once, as a reader would
      } else {
        await eventually(async () => expect(comparable(await run(here))).toBe(comparable(output)));
      }
    }
  });

  async function run(command: string): Promise<string> {
    const env = { PATH: process.env.PATH, ADMIN_TOKEN };
    const { stdout } = await promisify(execFile)('bash', ['-c', command], { cwd: directory, env });
    return stdout;
  }

  /** `npm run seed`, which a part of the tour begins with. */
  async function seed(env: Record<string, string>): Promise<void> {
    const script = path.join(ROOT, 'dist/src/commands/seed.js');
    await promisify(execFile)(process.execPath, [script, '--url', streamforge.url], {
      cwd: directory,
      env: { PATH: process.env.PATH, ADMIN_TOKEN, ...env },
    });
  }
});
