import * as path from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { allCompleted } from '../../support/processes/e2e-cluster';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';

const MARKER = 'canary-of-a-payload-4711';
const PASSWORD = 'canary-of-a-password-4712';
const METRICS_TOKEN = 'canary-of-metrics-4713';
const ADMIN_TOKEN = 'canary-of-an-admin-token-4714';
const WRONG_TOKEN = 'canary-of-a-wrong-token-4715';
const CANARIES = [MARKER, PASSWORD, METRICS_TOKEN, ADMIN_TOKEN, WRONG_TOKEN];

const DISTINCT = 2_000;
const AT_A_TIME = 50;

describe('the data of callers', () => {
  let database: TestDatabase;
  let running: TestProcess;
  beforeAll(async () => {
    database = await createTestDatabase();
    const url = new URL(database.url);
    url.password = PASSWORD; // the test server trusts everybody
    running = await startProcess({
      APP_ROLE: 'all',
      DATABASE_URL: url.href,
      LOG_LEVEL: 'trace',
      METRICS_TOKEN,
      ADMIN_TOKEN,
      MAX_RETRY_ATTEMPTS: '2',
      RETRY_BACKOFF_MS: '50',
      NODE_OPTIONS: `--require ${path.resolve(__dirname, '../../support/processes/misbehaving-handler.js')}`,
    });
  });
  afterAll(async () => {
    await running.end('SIGKILL');
    await database.drop();
  });

  const metrics = async (): Promise<string> => {
    const { status, text } = await call(`${running.url}/metrics`, {
      headers: { Authorization: `Bearer ${METRICS_TOKEN}` },
    });
    expect(status).toBe(200);
    return text;
  };
  const post = (body: Record<string, unknown>, tenant = 'acme') =>
    postEvent(running.url, tenant, JSON.stringify({ ...eventBody(), payload: { secret: MARKER }, ...body }));

  it('never appears in logs or metrics, as payload, secret or broken record, even at level trace', async () => {
    expect((await post({})).status).toBe(202);
    await allCompleted(database.pool, 'acme', 1);
    expect((await post({ [MARKER]: 1 })).status).toBe(400);
    expect((await post({ occurredAt: MARKER })).status).toBe(400);
    await postEvent(running.url, 'acme', `{"payload":"${MARKER}`);
    await postStream(running.url, 'acme', `{"payload":"${MARKER}"}\n{"broken ${MARKER}\n`);
    await postStream(running.url, 'acme', `<a><event>${MARKER}</a>`, { 'content-type': 'application/xml' });
    await call(`${running.url}/v1/admin/usage`, { headers: { 'X-Admin-Token': WRONG_TOKEN } });
    await call(`${running.url}/v1/admin/usage?tenantId=acme`, { headers: { 'X-Admin-Token': ADMIN_TOKEN } });
    await call(`${running.url}/metrics`, { headers: { Authorization: `Bearer ${WRONG_TOKEN}` } });
    expect((await post({ eventType: 'test.quoting' }, 'quoting')).status).toBe(202);
    await eventually(async () => {
      const { rows } = await database.pool.query(
        `select from event_status where tenant_id = 'quoting' and status = 'DLQ'`,
      );
      expect(rows).toHaveLength(1);
    });
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await eventually(async () => expect((await post({ subject: `after ${Date.now()}` })).status).toBe(202));
    const seen = `${running.output()}\n${await metrics()}`;
    // It was looked at where something was to be seen.
    expect(seen).toContain('"outcome":"DLQ","reasonCode":"HANDLER_ERROR","exhausted":true');
    expect(seen).toContain('"msg":"event.stored"');
    expect(seen).toContain('terminating connection due to administrator command');
    for (const canary of CANARIES) expect(seen).not.toContain(canary);
  });

  it(`does not grow the metrics with ${DISTINCT} tenants, sources and types`, async () => {
    const series = async (): Promise<string[]> => {
      const lines = (await metrics()).split('\n').filter((line) => line.startsWith('streamforge_'));
      return lines.map((line) => line.slice(0, line.lastIndexOf(' ')));
    };
    const send = async (n: number): Promise<void> => {
      const fields = { eventType: `type.${n}.distinct`, source: `source-${n}-distinct` };
      expect((await post(fields, `tenant-${n}-distinct`)).status).toBe(202);
    };
    await send(0);
    await allCompleted(database.pool, 'tenant-0-distinct', 1);
    const before = await series();
    for (let n = 1; n <= DISTINCT; n += AT_A_TIME) {
      await Promise.all(Array.from({ length: AT_A_TIME }, (_, i) => send(n + i)));
    }
    await allCompleted(database.pool, `tenant-${DISTINCT}-distinct`, 1, 60_000);
    expect(await series()).toEqual(before);
    expect(before.length).toBeLessThan(450); // most are buckets of histograms
    expect(await metrics()).not.toContain('distinct');
  }, 120_000);

  it('cannot add a log line with a line break', () => {
    for (const line of running.output().split('\n')) {
      if (line.includes('"level"')) expect(() => JSON.parse(line) as unknown).not.toThrow();
    }
  });
});
