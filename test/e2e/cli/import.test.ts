import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { cliEnv, runStreamforge, type CliRun } from '../../support/cli';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { freePort } from '../../support/processes/free-port';

const RECORDS = 4_500;
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-import-'));
const file = path.join(home, 'events.ndjson');
let database: TestDatabase;
let api: TestProcess;
let port: number;

const start = (): Promise<TestProcess> =>
  startProcess({ DATABASE_URL: database.url, APP_ROLE: 'api', PORT: String(port) });
beforeAll(async () => {
  database = await createTestDatabase();
  port = await freePort();
  api = await start();
  const line = (n: number): string =>
    `{"eventType":"i","subject":"s${n}","payload":${n === 2_500 ? '' : `{"n":${n}.10}`}}\n`;
  fs.writeFileSync(file, Array.from({ length: RECORDS }, (_, n) => line(n)).join(''));
});
afterAll(async () => {
  await api.end('SIGKILL');
  await database.drop();
  fs.rmSync(home, { recursive: true });
});

const run = (args: string[]): Promise<CliRun> =>
  runStreamforge(args, { env: cliEnv(`http://127.0.0.1:${port}`, { XDG_STATE_HOME: home }) });
const stored = async (): Promise<number> => (await database.pool.query('select from events')).rowCount ?? 0;

describe('streamforge import', () => {
  it('goes on after the api was killed, and every record is stored once', async () => {
    const running = run(['import', file, '--retry-for', '0']);
    while ((await stored()) < 2_000) await new Promise(setImmediate);
    await api.end('SIGKILL');
    const killed = await running;
    expect(killed).toMatchObject({ code: 6, stderr: expect.stringContaining('--resume') as string });
    api = await start();
    const rejected = path.join(home, 'rejected.ndjson');
    const resumed = await run(['import', file, '--resume', '--rejected', rejected]);
    expect(resumed.stderr).toMatch(/Going on after [1-4]000 records/);
    expect(resumed).toMatchObject({
      code: 7,
      stdout: expect.stringMatching(/^4500 records: .* 1 rejected\n$/) as string,
    });
    expect(await stored()).toBe(RECORDS - 1);
    if (resumed.stderr.includes('record 2501')) expect(fs.readFileSync(rejected, 'utf8')).toContain('"record":2501');
  });

  it('stores nothing twice when the file is sent again', async () => {
    const { code, stdout } = await run(['import', file, '--json']);
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toEqual({ records: RECORDS, accepted: 0, duplicates: RECORDS - 1, rejected: 1 });
  });

  it('says so when there is nothing to resume, and when there is no file', async () => {
    const small = path.join(home, 'small.ndjson');
    fs.writeFileSync(small, '{"eventType":"i","subject":"s","payload":1}');
    const { code, stdout, stderr } = await run(['import', small, '--resume']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1 records: 1 accepted, 0 duplicates, 0 rejected\n' });
    expect(stderr).toContain('starting from the beginning');
    expect((await run(['import', path.join(home, 'none')])).code).toBe(2);
  });
});
