import { setTimeout as sleep } from 'node:timers/promises';
import { createdKey, createdOperator } from '../../support/access/access-admin';
import { call, expectProblem } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { OwnServer } from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';

const BODY = '{"eventType":"order.paid","subject":"s","payload":1}';

describe('an api whose PostgreSQL is down', () => {
  let postgres: OwnServer;
  let api: TestProcess;
  beforeAll(async () => {
    postgres = await OwnServer.postgres();
    api = await startProcess({ APP_ROLE: 'api', DATABASE_URL: `${postgres.url}?query_timeout=1000` });
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await postgres?.stop();
  });

  const post = (headers: Record<string, string>) =>
    call(`${api.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: BODY,
    });
  const outbox = (headers: Record<string, string>) => call(`${api.url}/v1/admin/outbox`, { headers });
  const whoami = (headers: Record<string, string>) => call<{ kind: string }>(`${api.url}/v1/whoami`, { headers });

  it('admits callers that only name a tenant as before, and answers 503 to keys, which it cannot check', async () => {
    const { key } = await createdKey(api.url, 'acme');
    const { token } = await createdOperator(api.url, { role: 'owner' });
    await postgres.kill();
    await sleep(600); // what the process has in memory is too old then
    const header = await whoami({ 'x-tenant-id': 'acme' });
    expect([header.status, header.body.kind]).toEqual([200, 'header']);
    expectProblem(await post({ 'x-tenant-id': 'acme' }), 503, 'storage-unavailable');
    for (const refused of [
      await post({ authorization: `Bearer ${key}` }),
      await whoami({ authorization: `Bearer ${key}` }),
      await whoami({ 'x-api-key': 'wrong' }),
      await whoami({ authorization: `Bearer ${token}` }),
      await outbox({ authorization: `Bearer ${token}` }),
      await outbox({ 'x-admin-token': token }),
    ]) {
      expect(expectProblem(refused, 503, 'storage-unavailable').retryable).toBe(true);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    await postgres.startAgain();
    await eventually(async () => expect((await post({ authorization: `Bearer ${key}` })).status).toBe(202));
    expect((await whoami({ authorization: `Bearer ${token}` })).status).toBe(200);
  });

  it('still stops in order, although it cannot store when keys were used', async () => {
    const { key } = await createdKey(api.url, 'acme');
    expect((await whoami({ 'x-api-key': key })).status).toBe(200);
    await postgres.kill();
    expect(await api.end('SIGTERM')).toBe(0);
  });
});
