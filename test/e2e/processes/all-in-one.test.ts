import { execFile } from 'node:child_process';
import { Agent } from 'node:http';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { createDataDirectory, type TestDataDirectory } from '../../support/processes/e2e-data-directory';
import { freePort } from '../../support/processes/free-port';
import { isRunning } from '../../support/processes/process-tree';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { call, getEvent, postEvent, postStream, usageOf } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';

/** Empty text counts as unset. */
const GENERATED_TOKEN = { ADMIN_TOKEN: '' };

describe('all-in-one without any servers', () => {
  let directory: TestDataDirectory;
  let running: TestProcess | undefined;
  const tokens: string[] = [];
  const start = async (env: Record<string, string> = {}): Promise<TestProcess> => {
    running = await startProcess({ STREAMFORGE_DATA_DIR: directory.path, ...env });
    return running;
  };
  beforeAll(() => {
    directory = createDataDirectory();
  });
  afterAll(async () => {
    await running?.end('SIGKILL');
    await directory.drop();
  });

  it('starts its own PostgreSQL and is ready', async () => {
    const { url, output } = await start(GENERATED_TOKEN);
    const { body } = await call<{ status: string }>(`${url}/ready`);
    expect(body).toMatchObject({ status: 'ready', role: 'all' });
    expect(output()).toContain(directory.path);
    expect(directory.postmasterPid()).toBeGreaterThan(0);
  });

  it('refuses a second start on the same data directory, and commands find the first without its PORT', async () => {
    const { url } = running as TestProcess;
    const env = { STREAMFORGE_DATA_DIR: directory.path };
    await expect(startProcess(env)).rejects.toThrow(
      `StreamForge is already running on ${directory.path} (process ${running?.child.pid} at ${url}). Stop it first`,
    );
    expect(await call(`${url}/ready`)).toMatchObject({ status: 200 });
    expect(await runCommand('seed', { ...env, PORT: String(await freePort()) })).toContain(`sent to ${url})`);
  });

  it('generates an admin token once for the data directory', async () => {
    const { url, output } = running as TestProcess;
    const token = /X-Admin-Token: (\S+)/.exec(output())?.[1] as string;
    const list = (sent: string) => call(`${url}/v1/admin/audit`, { headers: { 'x-admin-token': sent } });
    expect((await list(token)).status).toBe(200);
    expect((await list(`${token}x`)).status).toBe(401);
    tokens.push(token);
  });

  it('completes an event within milliseconds', async () => {
    const { url } = running as TestProcess;
    const medians: number[] = [];
    // A busy machine is slow now and then; a gateway that waits for its next poll is slow every time.
    while (medians.length < 5 && !medians.some((ms) => ms < 50)) medians.push(await medianLatency(url, medians.length));
    expect(Math.min(...medians)).toBeLessThan(50);
  });

  it('completes every event once after it was killed during a stream and started again', async () => {
    const events = syntheticEvents(676, 'killed');
    const killed = running as TestProcess;
    const unfinished = new Readable({ read: () => undefined });
    unfinished.push(toNdjson(events.slice(0, 400)));
    const broken = postStream(killed.url, 'killed', unfinished);
    await eventually(async () => expect((await getEvent(killed.url, 'killed', 'killed-300')).status).toBe(200));
    await Promise.all([expect(broken).rejects.toThrow(), killed.end('SIGKILL')]);

    const again = await start();
    const answer = await postStream(again.url, 'killed', toNdjson(events));
    expect(answer.status).toBe(202);
    const { accepted, duplicates } = answer.body.summary;
    expect(accepted + duplicates).toBe(676);
    expect(duplicates).toBeGreaterThanOrEqual(301);
    await allRead(again.url, 'killed', events, 30_000);
    expect(await usageOf(again.url, 'killed')).toBe(676);
  });

  it('completes every event after it was killed during processing and its in-process broker lost the messages', async () => {
    const events = syntheticEvents(3_000, 'forgotten');
    const killed = running as TestProcess;
    expect((await postStream(killed.url, 'forgotten', toNdjson(events))).body.summary.accepted).toBe(3_000);
    await killed.end('SIGKILL');
    const again = await start();
    await allRead(again.url, 'forgotten', events, 30_000);
    expect(await usageOf(again.url, 'forgotten')).toBe(3_000);
  });

  it('leaves no process behind after SIGTERM and keeps all events for the next start', async () => {
    const pid = directory.postmasterPid() as number;
    expect(await running?.end('SIGTERM')).toBe(0);
    expect(isRunning(pid)).toBe(false);
    const next = await start(GENERATED_TOKEN);
    expect((await getEvent(next.url, 'idle', 'idle-0-0')).body.status).toBe('COMPLETED');
    expect(directory.postmasterPid()).not.toBe(pid);
    expect(next.output()).toContain(`X-Admin-Token: ${tokens[0]} `);
    expect(await next.end('SIGTERM')).toBe(0);
    expect(directory.postmasterPid()).toBeUndefined();
  });
});

async function runCommand(name: string, env: Record<string, string>): Promise<string> {
  const script = path.resolve(__dirname, '../../../dist/src/commands', `${name}.js`);
  const { stdout } = await promisify(execFile)(process.execPath, [script], {
    env: { PATH: process.env.PATH, ...env },
  });
  return stdout;
}

/** Milliseconds from POST to COMPLETED of 30 single events, each sent to an idle process. */
async function medianLatency(url: string, round: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const latencies: number[] = [];
  for (const { line, eventId } of syntheticEvents(30, `idle-${round}`)) {
    const startedMs = performance.now();
    expect((await postEvent(url, 'idle', line, {}, agent)).status).toBe(202);
    while ((await getEvent(url, 'idle', eventId, agent)).body.status !== 'COMPLETED') {
      if (performance.now() > startedMs + 10_000) throw new Error(`${eventId} is not completed`);
      await sleep(2);
    }
    latencies.push(performance.now() - startedMs);
    await sleep(50); // idle again: the publisher's polls have become rare
  }
  agent.destroy();
  return latencies.sort((a, b) => a - b)[15] as number;
}

/** Every event is read back as COMPLETED with its payload as it was sent. */
async function allRead(
  url: string,
  tenant: string,
  events: ReturnType<typeof syntheticEvents>,
  timeoutMs: number,
): Promise<void> {
  let open = [...events];
  await eventually(async () => {
    const still: typeof open = [];
    for (let i = 0; i < open.length; i += 20) {
      const part = open.slice(i, i + 20);
      const answers = await Promise.all(part.map(({ eventId }) => getEvent(url, tenant, eventId)));
      answers.forEach(({ text, body }, n) => {
        const sent = part[n] as (typeof part)[number];
        if (body.status !== 'COMPLETED') still.push(sent);
        else expect(text).toContain(`"payload":${sent.payloadText},"status"`);
      });
    }
    open = still;
    if (open.length > 0) throw new Error(`${open.length} events are not completed, ${open[0]?.eventId} first`);
  }, timeoutMs);
}
