import { ask, createdKey, createdOperator } from '../../support/access/access-admin';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call } from '../../support/e2e-http';
import { OwnServer } from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';

describe('two api processes', () => {
  let database: TestDatabase;
  let redis: OwnServer;
  let first: TestProcess;
  let second: TestProcess;
  beforeAll(async () => {
    [database, redis] = await Promise.all([createTestDatabase(), OwnServer.redis()]);
    const env = { APP_ROLE: 'api', DATABASE_URL: database.url, REDIS_URL: redis.url };
    [first, second] = await Promise.all([startProcess(env), startProcess(env)]);
  });
  afterAll(async () => {
    await Promise.all([first?.end('SIGKILL'), second?.end('SIGKILL')]);
    await redis?.stop();
    await database?.drop();
  });

  const statusOf = async (text: string): Promise<number> =>
    (await call(`${second.url}/v1/whoami`, { headers: { authorization: `Bearer ${text}` } })).status;

  /** Sends requests without a break until one is refused. Returns the time since `sinceMs`. */
  async function refusedAfter(text: string, sinceMs: number): Promise<number> {
    while ((await statusOf(text)) !== 401) {
      if (Date.now() - sinceMs > 10_000) throw new Error('still accepted after 10 s');
    }
    return Date.now() - sinceMs;
  }

  /** The median of three, because a busy machine may hold up a request for longer than a second. In ms. */
  async function timeOfRevocation(create: () => Promise<[path: string, text: string]>): Promise<number> {
    const times: number[] = [];
    for (let i = 0; i < 3; i += 1) {
      const [path, text] = await create();
      expect(await statusOf(text)).toBe(200); // accepted by the other process as soon as it was created
      const refused = refusedAfter(text, Date.now());
      const { status } = await ask(first.url, 'DELETE', path);
      expect([status, await statusOf(text)]).toEqual([204, 401]); // once the change is answered, nobody accepts it
      times.push(await refused);
    }
    return times.sort((a, b) => a - b)[1] as number;
  }

  it.each(['is there', 'is down'])(
    'refuse a key or a token that one of them has revoked, within a second, while Redis %s',
    async (state) => {
      if (state === 'is down') await redis.kill();
      const key = async (): Promise<[string, string]> => {
        const created = await createdKey(first.url, 'shared');
        return [`tenants/shared/keys/${created.id}`, created.key];
      };
      const operator = async (): Promise<[string, string]> => {
        const created = await createdOperator(first.url, { role: 'viewer' });
        return [`operators/${created.id}`, created.token];
      };
      for (const create of [key, operator]) expect(await timeOfRevocation(create)).toBeLessThan(1_000);
    },
  );

  it('suspend a tenant in both', async () => {
    const send = () =>
      call(`${second.url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-tenant-id': 'both' },
        body: '{"eventType":"order.paid","subject":"s","payload":1}',
      });
    expect((await send()).status).toBe(202);
    const body = { id: 'both', name: 'Both', status: 'suspended' };
    expect((await ask(first.url, 'POST', 'tenants', { body })).status).toBe(201);
    expect((await send()).status).toBe(403);
  });
});
