import { createServer, type AddressInfo } from 'node:net';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, getEvent, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { spawnProcess, startProcess } from '../../support/processes/process';

/** Starts a process that is not meant to come up. */
async function failedStart(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnProcess(env);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, output: output() };
}

const linesAbout = (output: string, name: string) => output.split('\n').filter((line) => line.includes(`- ${name}: `));
const expectNoStack = (output: string) => expect(output).not.toMatch(/\n\s+at |node_modules/);

describe('the start of a process', () => {
  let database: TestDatabase;
  let empty: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    empty = await createTestDatabase({ migrated: false });
  });
  afterAll(async () => {
    await database.drop();
    await empty.drop();
  });

  it('fails with a list of all malformed settings', async () => {
    const wrong = {
      APP_ROLE: 'api,publsher',
      PORT: '70000',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://user:dont-show-me@host/db',
      RABBITMQ_URL: 'not a url',
      MAX_EVENT_BYTES: '1e6',
      DEDUPE_STRATEGY: 'guess',
      DEDUPE_INCLUDE_OCCURRED_AT: 'yes',
      RETRY_BACKOFF_MS: '1000,soon',
      RETRY_JITTER: '1.5',
      TENANT_ALLOWLIST: 'acme,-x',
    };
    const { code, output } = await failedStart(wrong);
    expect(code).toBe(1);
    for (const name of Object.keys(wrong)) expect([name, ...linesAbout(output, name)]).toHaveLength(2);
    expect(output).not.toContain('dont-show-me');
    expectNoStack(output);
  });

  it('fails with a list of all risky combinations of settings', async () => {
    const { code, output } = await failedStart({
      APP_ROLE: 'publisher',
      DATABASE_URL: database.url,
      OUTBOX_INFLIGHT_LEASE_SECONDS: '5',
      PUBLISH_TIMEOUT_MS: '5000',
      WORKER_BATCH_SIZE: '200',
      RABBITMQ_PREFETCH: '100',
    });
    expect(code).toBe(1);
    for (const name of ['OUTBOX_INFLIGHT_LEASE_SECONDS', 'WORKER_BATCH_SIZE', 'RABBITMQ_URL']) {
      expect([name, ...linesAbout(output, name)]).toHaveLength(2);
    }
    expectNoStack(output);
  });

  it('fails with a sentence when SPILL_DIRECTORY cannot be written', async () => {
    const { code, output } = await failedStart({ DATABASE_URL: database.url, SPILL_DIRECTORY: '/does/not/exist' });
    expect(code).toBe(1);
    expect(output).toContain('SPILL_DIRECTORY: no file can be made in /does/not/exist');
    expectNoStack(output);
  });

  it('fails in production without URLs and secrets, and names all of them', async () => {
    const { code, output } = await failedStart({ NODE_ENV: 'production', ADMIN_TOKEN: '' });
    expect(code).toBe(1);
    for (const name of ['APP_ROLE', 'DATABASE_URL', 'REDIS_URL', 'RABBITMQ_URL', 'ADMIN_TOKEN', 'TENANT_AUTH']) {
      expect([name, ...linesAbout(output, name)]).toHaveLength(2);
    }
    expectNoStack(output);
  });

  const PRODUCTION = () => ({
    NODE_ENV: 'production',
    APP_ROLE: 'api',
    DATABASE_URL: database.url,
    REDIS_URL: process.env.TEST_REDIS_URL as string,
    ADMIN_TOKEN: 'a-long-token-of-this-one-boot',
    DESTINATIONS_SECRET_KEY: 'Zk3vQ0x8dWm1y7Tt2cJ5bNq9RfGhLsPaEoUiXyVwK4M=',
  });

  it('fails in production with one sentence if only the choice of TENANT_AUTH is missing', async () => {
    const { code, output } = await failedStart({ ...PRODUCTION(), TENANT_AUTH: '' });
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toEqual([
      'Invalid configuration:',
      expect.stringMatching(/^ {2}- TENANT_AUTH: .*\bkey\b.*\bheader\b.*\bboth\b/),
    ]);
  });

  it.each([
    ['both', 1],
    ['header', 1],
    ['key', 0],
  ])('logs with TENANT_AUTH=%s in production %i warnings about it', async (choice, count) => {
    const running = await startProcess({ ...PRODUCTION(), TENANT_AUTH: choice, LOG_LEVEL: 'warn' });
    try {
      const warnings = running
        .output()
        .split('\n')
        .filter((line) => line.includes('TENANT_AUTH'));
      expect(warnings).toHaveLength(count);
      for (const line of warnings) expect(line).toContain(`TENANT_AUTH is ${choice}`);
    } finally {
      await running.end('SIGKILL');
    }
  });

  it('fails in production with a short token, the guest account and private destinations', async () => {
    const { code, output } = await failedStart({
      NODE_ENV: 'production',
      APP_ROLE: 'api,publisher',
      DATABASE_URL: database.url,
      REDIS_URL: 'redis://127.0.0.1',
      RABBITMQ_URL: 'amqp://guest:guest@127.0.0.1',
      ADMIN_TOKEN: 'only-twenty-three-chars',
      DESTINATIONS_ALLOW_PRIVATE: 'true',
    });
    expect(code).toBe(1);
    for (const name of ['RABBITMQ_URL', 'ADMIN_TOKEN', 'DESTINATIONS_ALLOW_PRIVATE']) {
      expect([name, ...linesAbout(output, name)]).toHaveLength(2);
    }
    expect(output).not.toMatch(/only-twenty|guest:guest/);
  });

  it('reports in one sentence that the port is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const { code, output } = await failedStart({ APP_ROLE: 'api', DATABASE_URL: database.url, PORT: String(port) });
      expect(code).toBe(1);
      expect(output.trim().split('\n')).toEqual([expect.stringMatching(new RegExp(`\\b${port}\\b.*PORT`))]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('reports in one sentence that PostgreSQL cannot be reached', async () => {
    const url = `postgres://nobody:dont-show-me@127.0.0.1:${await freePort()}/none`;
    const { code, output } = await failedStart({ APP_ROLE: 'all', DATABASE_URL: url });
    expect(code).toBe(1);
    expect(output.trim().split('\n')).toEqual([expect.stringContaining('DATABASE_URL')]);
    expect(output).not.toContain('dont-show-me');
  });

  it.each(['api', 'publisher', 'worker', 'api,worker'])(
    'fails with a hint to npm run migrate when the %s finds no schema',
    async (role) => {
      const env = { APP_ROLE: role, DATABASE_URL: empty.url, RABBITMQ_URL: 'amqp://127.0.0.1:1' };
      const { code, output } = await failedStart(env);
      expect(code).toBe(1);
      expect(output.trim().split('\n')).toEqual([expect.stringContaining('npm run migrate')]);
      const { rows } = await empty.pool.query("select to_regclass('events') as events");
      expect(rows).toEqual([{ events: null }]);
    },
  );

  it('migrates the schema in all-in-one, even when two processes start together', async () => {
    const both = await Promise.all([0, 1].map(() => startProcess({ DATABASE_URL: empty.url })));
    try {
      for (const { url, output } of both) {
        expect(output()).toContain('role: all');
        expect((await call<{ status: string }>(`${url}/ready`)).body.status).toBe('ready');
        expect((await postEvent(url, 'acme', JSON.stringify(eventBody()))).status).toBe(202);
      }
    } finally {
      expect(await Promise.all(both.map((running) => running.end('SIGTERM')))).toEqual([0, 0]);
    }
  });

  it('uses UTC and the schema of the URL, whatever the time zone of the database: each event is published once', async () => {
    const own = await createTestDatabase({ migrated: false });
    await own.pool.query(`alter database ${new URL(own.url).pathname.slice(1)} set timezone = 'Europe/Berlin'`);
    await own.pool.query('create schema app');
    const url = `${own.url}?options=${encodeURIComponent('-c search_path=app')}`;
    const running = await startProcess({
      DATABASE_URL: url,
      OUTBOX_INFLIGHT_LEASE_SECONDS: '2',
      PUBLISH_TIMEOUT_MS: '1000',
    });
    try {
      const body = JSON.stringify(eventBody({ eventId: 'one', occurredAt: '2026-07-01T10:00:00.123+02:00' }));
      const { status, body: accepted } = await postEvent(running.url, 'acme', body);
      expect(status).toBe(202);
      const completed = await eventually(async () => {
        const { body: event } = await getEvent(running.url, 'acme', 'one');
        expect(event.status).toBe('COMPLETED');
        return event;
      });
      expect(completed).toMatchObject({ occurredAt: '2026-07-01T08:00:00.123Z', receivedAt: accepted.receivedAt });
      const publishedMs = Date.parse(completed.publishedAt as string);
      expect(Math.abs(publishedMs - Date.parse(accepted.receivedAt))).toBeLessThan(60_000);
      const { rows } = await own.pool.query('select status, attempts from app.outbox');
      expect(rows).toEqual([{ status: 'PUBLISHED', attempts: 0 }]);
    } finally {
      await running.end('SIGKILL');
      await own.drop();
    }
  });

  it.each([
    ['target_session_attrs=read-write', /^ {2}- DATABASE_URL: .*target_session_attrs/],
    ['options=-c%20timezone%3DEurope%2FBerlin', /^DATABASE_URL: its options set timezone to 'Europe\/Berlin'/],
    ['options=-c%20search_path%3Dnowhere', /^DATABASE_URL: search_path is 'nowhere'/],
  ])('ends with a sentence about a URL with %s', async (query, sentence) => {
    const { code, output } = await failedStart({ APP_ROLE: 'api', DATABASE_URL: `${database.url}?${query}` });
    expect(code).toBe(1);
    expect(output.trim().split('\n').at(-1)).toMatch(sentence);
    expectNoStack(output);
  });

  it('prints the admin token only if it generated one, and names once a proxy that has no effect', async () => {
    const env = { APP_ROLE: 'api', DATABASE_URL: database.url, HTTPS_PROXY: 'http://user:dont-show-me@127.0.0.1:1' };
    const unset = await startProcess({ ...env, ADMIN_TOKEN: '' });
    const proxy = { DESTINATIONS_PROXY_URL: env.HTTPS_PROXY };
    const given = await startProcess({ ...env, ...proxy, ADMIN_TOKEN: 'given-by-the-test' });
    try {
      const token = /X-Admin-Token: (\S+)/.exec(unset.output())?.[1] as string;
      const headers = { 'x-admin-token': token };
      expect((await call(`${unset.url}/v1/admin/usage`, { headers })).status).toBe(200);
      expect((await call(`${given.url}/v1/admin/usage`, { headers })).status).toBe(401);
      expect(given.output()).not.toMatch(/X-Admin-Token|given-by-the-test/);
      expect(unset.output().match(/HTTPS_PROXY has no effect/g)).toHaveLength(1);
      expect(given.output()).not.toContain('HTTPS_PROXY');
      expect(unset.output() + given.output()).not.toContain('dont-show-me');
    } finally {
      await Promise.all([unset.end('SIGKILL'), given.end('SIGKILL')]);
    }
  });
});
