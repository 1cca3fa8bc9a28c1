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

  it('announces the limit of admitted requests, and refuses those beyond it', async () => {
    const url = `${await start(limited)}/v1/admin/outbox`;
    const address = freshAddress();
    for (let n = 1; n <= 5; n++) {
      const answer = await from(address, url, good);
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ 'ratelimit-limit': '5', 'ratelimit-remaining': String(5 - n) });
      expect(Number(answer.headers['ratelimit-reset'])).toBeLessThanOrEqual(60);
    }
    const refused = await from(address, url, good);
    expect(expectProblem(refused, 429, 'admin-rate-limited').retryable).toBe(true);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('limits wrong tokens by a count of their own, which never refuses the right one', async () => {
    const base = await start(limited);
    const { id } = (await postEvent(base, 'acme', JSON.stringify(eventBody()))).body;
    const address = freshAddress();
    for (let n = 0; n < 5; n++) {
      const url = n % 2 === 0 ? `${base}/v1/admin/outbox` : `${base}/v1/events/${id}`;
      const answer = await from(address, url, bad);
      expectProblem(answer, 401, 'admin-token-invalid');
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
    const refused = await from(address, `${base}/v1/admin/outbox`, bad);
    expectProblem(refused, 429, 'admin-rate-limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await from(address, `${base}/v1/admin/outbox`, good)).status).toBe(200);
    expectProblem(await from(freshAddress(), `${base}/v1/admin/outbox`, bad), 401, 'admin-token-invalid');
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
