import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { Agent } from 'node:http';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { endProcess, spawnProcess, startProcess, type TestProcess } from '../../support/processes/process';

const CLIENTS = 10;

/** A pipe that takes 64 KiB and has no reader. */
function unreadPipe(): { fd: number; close: () => void } {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'streamforge-pipe-'));
  const file = path.join(directory, 'stdout');
  execFileSync('mkfifo', [file]);
  const fd = fs.openSync(file, fs.constants.O_RDWR);
  const close = (): void => {
    fs.closeSync(fd);
    fs.rmSync(directory, { recursive: true });
  };
  return { fd, close };
}

describe('an api that is told to end', () => {
  let database: TestDatabase;
  let api: TestProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => api?.end('SIGKILL'));
  afterAll(() => database.drop());

  const start = async (env: Record<string, string>): Promise<void> => {
    api = await startProcess({ APP_ROLE: 'api', DATABASE_URL: database.url, ...env });
  };

  it('loses no request while load balancers take notice', async () => {
    await start({ SHUTDOWN_DRAIN_MS: '3000', SHUTDOWN_GRACE_MS: '20000' });
    const agent = new Agent({ keepAlive: true });
    const answers: Awaited<ReturnType<typeof postEvent>>[] = [];
    let isDone = false;
    const client = async (name: string): Promise<void> => {
      for (const { line } of syntheticEvents(5_000, name)) {
        if (isDone) return;
        answers.push(await postEvent(api.url, 'balanced', line, {}, agent));
      }
    };
    const clients = Promise.all(Array.from({ length: CLIENTS }, (_, i) => client(`balanced-${i}`)));
    await eventually(() => expect(answers.length).toBeGreaterThan(50));
    const ended = api.end('SIGTERM');
    await eventually(async () => expect((await call(`${api.url}/ready`)).status).toBe(503));
    const seen = answers.length + CLIENTS; // the next answer of each client may have been on its way
    await eventually(() => expect(answers.length).toBeGreaterThan(seen + 3 * CLIENTS));
    isDone = true;
    await clients;
    expect(api.child.exitCode).toBeNull();
    expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
    expect(answers.slice(seen).filter(({ headers }) => headers.connection !== 'close')).toEqual([]);
    expect({ code: await ended, output: api.output() }).toMatchObject({ code: 0 });
    agent.destroy();
  });

  it('ends without a drain on Ctrl-C, which npm repeats', async () => {
    await start({ SHUTDOWN_DRAIN_MS: '60000', SHUTDOWN_GRACE_MS: '120000' });
    const startedMs = performance.now();
    const ended = api.end('SIGINT');
    await sleep(5); // signals that are pending at the same time are one
    api.child.kill('SIGINT');
    expect({ code: await ended, output: api.output() }).toMatchObject({ code: 0 });
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });
});

describe('a process whose standard output nobody reads', () => {
  it('serves on, counts the lines that it loses, and ends', async () => {
    const database = await createTestDatabase();
    const pipe = unreadPipe();
    const port = String(await freePort());
    const env = { APP_ROLE: 'api', DATABASE_URL: database.url, PORT: port, LOG_LEVEL: 'debug' };
    const { child, output } = spawnProcess(env, undefined, pipe.fd);
    try {
      const url = `http://127.0.0.1:${port}`;
      await eventually(async () => expect((await call(`${url}/ready`)).status).toBe(200), 60_000);
      const { body } = await postStream(url, 'unread', toNdjson(syntheticEvents(8_000, 'unread')));
      expect(body.summary.accepted).toBe(8_000);
      await eventually(async () =>
        expect((await call(`${url}/metrics`)).text).toMatch(/^streamforge_log_lines_lost_total [1-9]/m),
      );
      const [event] = syntheticEvents(1, 'one-more');
      expect((await postEvent(url, 'unread', event?.line as string, {})).status).toBe(202);
      expect({ code: await endProcess(child, 'SIGTERM'), output: output() }).toEqual({ code: 0, output: '' });
    } finally {
      await endProcess(child, 'SIGKILL');
      pipe.close();
      await database.drop();
    }
  });
});
