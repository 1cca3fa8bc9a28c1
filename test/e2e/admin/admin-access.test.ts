import { request } from 'node:http';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { expectProblem, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';

interface Answered {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** All of 127.0.0.0/8 is this machine, so a test may have an address that no other test has. */
function from(address: string, url: string, headers: Record<string, string>): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers, localAddress: address, agent: false }, (incoming) => {
      let text = '';
      incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
      incoming.on('end', () =>
        resolve({ status: incoming.statusCode as number, headers: incoming.headers as Record<string, string>, text }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const freshAddress = (): string => `127.${1 + Math.floor(Math.random() * 250)}.${Math.floor(Math.random() * 250)}.7`;

describe('the access of operators', () => {
  let database: TestDatabase;
  const apps: TestApp[] = [];
  const limited = { ADMIN_RATE_LIMIT_PER_MINUTE: '5', APP_ROLE: 'api' };
  const start = async (env: Record<string, string>): Promise<string> => {
    const app = await startTestApp(database.url, env);
    apps.push(app);
    return app.url;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await database.drop();
  });
  const good = { 'x-admin-token': ADMIN_TOKEN };
  const bad = { 'x-admin-token': 'a-guess' };

  it('counts wrong tokens, announces the limit, and then refuses the right token as well', async () => {
    const url = `${await start(limited)}/v1/admin/outbox`;
    const address = freshAddress();
    for (let n = 1; n <= 5; n++) {
      const answer = await from(address, url, bad);
      expectProblem(answer, 401, 'admin-token-invalid');
      expect(answer.headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': String(5 - n) });
      expect(Number(answer.headers['ratelimit-reset'])).toBeLessThanOrEqual(60);
    }
    const refused = await from(address, url, good);
    expect(expectProblem(refused, 429, 'admin-rate-limited').retryable).toBe(true);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('does not limit other addresses, so that guessing cannot lock operators out', async () => {
    const url = `${await start(limited)}/v1/admin/outbox`;
    const [guesser, operator] = [freshAddress(), freshAddress()];
    for (let n = 0; n < 6; n++) await from(guesser, url, bad);
    expect((await from(guesser, url, good)).status).toBe(429);
    expect((await from(operator, url, good)).status).toBe(200);
  });

  it('shares one count between all api processes', async () => {
    const redis = { REDIS_URL: process.env.TEST_REDIS_URL as string };
    const urls = await Promise.all([start({ ...limited, ...redis }), start({ ...limited, ...redis })]);
    for (const url of urls) {
      await eventually(async () =>
        expect((await from('127.0.0.1', `${url}/ready`, {})).text).toContain('"redis":{"status":"up"}'),
      );
    }
    const address = freshAddress();
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++) statuses.push((await from(address, `${urls[n % 2]}/v1/admin/outbox`, good)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  });

  it('counts in each process while Redis is down', async () => {
    const url = await start({ ...limited, REDIS_URL: 'redis://127.0.0.1:1' });
    const address = freshAddress();
    const statuses: number[] = [];
    for (let n = 0; n < 6; n++) statuses.push((await from(address, `${url}/v1/admin/outbox`, good)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
  });

  it('counts wrong tokens on GET /v1/events/{id}, too', async () => {
    const base = await start(limited);
    const { id } = (await postEvent(base, 'acme', JSON.stringify(eventBody()))).body;
    const address = freshAddress();
    const url = `${base}/v1/events/${id}`;
    for (let n = 0; n < 5; n++) expectProblem(await from(address, url, bad), 401, 'admin-token-invalid');
    expectProblem(await from(address, url, good), 429, 'admin-rate-limited');
    expect((await from(address, url, { 'x-tenant-id': 'acme' })).status).toBe(200); // tenants have their own limit
  });

  it.each([
    'events',
    'dlq',
    'dlq/reasons',
    'replays',
    'replays/01a20bbe-19c8-7764-af38-5def3fbd1764',
    'outbox',
    'usage',
    'audit',
  ])('requires the token for %s', async (path) => {
    const [app] = apps;
    expectProblem(await from(freshAddress(), `${app?.url}/v1/admin/${path}`, {}), 401, 'admin-token-invalid');
  });
});
