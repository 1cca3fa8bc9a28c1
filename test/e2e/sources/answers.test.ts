import type { Pool } from 'pg';
import { createPool } from '../../../src/db/pool';
import { startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { expectProblem, getEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { OwnServer, rowsOf, storedOf } from '../../support/processes/e2e-own-servers';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { boxOf, givenSource, storeSource, type GivenSource, type SourceFields } from '../../support/sources';
import { eachOf, sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';
import { givenTenant } from '../../support/tenants';

const SIMPLE: SourceFields = {
  verification: SIGNED_BODY,
  secrets: [WEBHOOK_SECRET],
  mapping: { eventType: { template: 'a.type' }, subject: '/n', eventId: '/n' },
};

let distinct = 0;
const fresh = (): string => `{"n":"n ${(distinct += 1)}"}`;

describe('the answer of a source', () => {
  const running = useApp();
  const given = (fields: SourceFields = {}) => givenSource(running.app, running.pool, { ...SIMPLE, ...fields });
  const send = (source: GivenSource, body: string, sent = {}) =>
    sendWebhook(`${running.url}${source.path}`, body, sent);

  it('is that of its policy for each outcome, and for no refusal', async () => {
    const source = await given({
      answers: {
        accepted: { status: 202, body: '<Response/>', contentType: 'text/xml' },
        duplicate: { status: 204 },
        rejected: { status: 503, body: 'later' },
      },
    });
    const body = fresh();
    const accepted = await send(source, body);
    expect([accepted.status, accepted.text]).toEqual([202, '<Response/>']);
    expect(accepted.headers['content-type']).toMatch(/^text\/xml/);
    const duplicate = await send(source, body);
    expect([duplicate.status, duplicate.text]).toEqual([204, '']);
    const rejected = await send(source, '{}');
    expect([rejected.status, rejected.text]).toEqual([503, 'later']);
    expectProblem(await send(source, fresh(), { secret: 'another' }), 401, 'signature-invalid');
    const { rows } = await running.pool.query('select code from rejections where source_id = $1', [source.row.id]);
    expect(rows).toEqual([{ code: 'invalid-event' }]);
  });

  it('is 503 with Retry-After while the source is paused, has no secret, or its tenant is suspended', async () => {
    await givenTenant(running.pool, 'suspended', { status: 'suspended' });
    const sources = [
      await given({ status: 'paused' }),
      await given({ secrets: [] }),
      await given({ tenantId: 'suspended' }),
    ];
    for (const source of sources) {
      await eventually(async () => {
        const answer = await send(source, fresh());
        expectProblem(answer, 503, 'source-unavailable');
        expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
      });
    }
  });

  it('is 429 with Retry-After when a limit of the tenant is used up, which repeated webhooks do not use', async () => {
    await givenTenant(running.pool, 'limited', { eventsPerMinute: 6 });
    const source = await given({ tenantId: 'limited' });
    const body = fresh();
    // The first one may come before the limit is heeded. Then it costs nothing.
    await eventually(async () => expect((await send(source, body)).headers['ratelimit-limit']).toBe('6'));
    for (let i = 0; i < 10; i++) expect((await send(source, body)).body.status).toBe('duplicate');
    for (let i = 0; i < 5; i++) expect((await send(source, fresh())).body.status).toBe('accepted');
    await send(source, fresh());
    const refused = await send(source, fresh());
    expectProblem(refused, 429, 'tenant-rate-limited');
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    const { rows } = await running.pool.query(`select from events where tenant_id = 'limited'`);
    expect([6, 7]).toContain(rows.length);
  });

  it('is the same whatever the request says about tenants and correlation', async () => {
    const source = await given();
    const answer = await send(source, fresh(), {
      headers: { 'x-tenant-id': 'other', 'idempotency-key': 'k', 'x-correlation-id': 'of the producer' },
    });
    expect([answer.status, answer.body.status]).toEqual([200, 'accepted']);
    expect((await getEvent(running.url, 'acme', answer.body.id)).status).toBe(200);
    expect((await getEvent(running.url, 'other', answer.body.id)).status).toBe(404);
  });
});

describe('a source of an installation that demands API keys', () => {
  let database: TestDatabase;
  let running: TestApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    running = await startTestApp(database.url, { TENANT_AUTH: 'key' });
    await givenTenant(database.pool, 'acme', {});
  });
  afterAll(async () => {
    await running?.close();
    await database?.drop();
  });

  it('takes requests without a key, and with any Authorization of the producer', async () => {
    const source = await givenSource(running.app, database.pool, SIMPLE);
    for (const headers of [{}, { authorization: 'Bearer sfk_of_somebody_else' }, { 'x-api-key': 'nonsense' }]) {
      const answer = await sendWebhook(`${running.url}${source.path}`, fresh(), { headers });
      expect([answer.status, answer.body.status]).toEqual([200, 'accepted']);
    }
    const basic = await givenSource(running.app, database.pool, {
      ...SIMPLE,
      verification: { scheme: 'basic' },
      secrets: ['user:password'],
    });
    const authorization = `Basic ${Buffer.from('user:password').toString('base64')}`;
    const answer = await sendWebhook(`${running.url}${basic.path}`, fresh(), { headers: { authorization } });
    expect([answer.status, answer.body.status]).toEqual([200, 'accepted']);
  });
});

describe('a source while a server is away', () => {
  let postgres: OwnServer;
  let redis: OwnServer;
  let pool: Pool;
  let api: TestProcess;
  let source: GivenSource;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([OwnServer.postgres(), OwnServer.redis()]);
    pool = createPool(postgres.url, 'test');
    pool.on('error', () => undefined); // the connections break with the server
    source = await storeSource(pool, await boxOf(pool), SIMPLE);
    api = await startProcess({
      APP_ROLE: 'api',
      DATABASE_URL: `${postgres.url}?query_timeout=1000`,
      REDIS_URL: redis.url,
    });
  });
  afterAll(async () => {
    await api?.end('SIGKILL');
    await pool?.end();
    await Promise.all([postgres?.stop(), redis?.stop()]);
  });

  const send = (body: string) => sendWebhook(`${api.url}${source.path}`, body);

  it('takes webhooks without Redis, each once', async () => {
    const bodies = Array.from({ length: 30 }, fresh);
    expect((await send(bodies[0] as string)).body.status).toBe('accepted');
    await redis.kill();
    const first = await eachOf(bodies, 10, send);
    expect(first.map(({ status, body }) => [status, body.status])).toEqual(
      bodies.map((_, i) => [200, i === 0 ? 'duplicate' : 'accepted']),
    );
    const again = await eachOf(bodies, 10, send);
    expect(again.map(({ body }) => [body.status, body.id])).toEqual(first.map(({ body }) => ['duplicate', body.id]));
    await redis.startAgain();
    expect((await send(bodies[1] as string)).body.status).toBe('duplicate');
  });

  it('answers 503 without PostgreSQL, stores nothing by halves, and takes the same webhooks afterwards', async () => {
    const before = await storedOf(postgres.url, 'acme');
    const bodies = [...Array.from({ length: 30 }, fresh), '{}', '{"broken'];
    await postgres.kill();
    for (const answer of await eachOf(bodies, 10, send)) {
      const code = answer.text.includes('"overloaded"') ? 'overloaded' : 'storage-unavailable';
      expect(expectProblem(answer, 503, code).retryable).toBe(true);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    }
    await postgres.startAgain();
    await eventually(async () => expect((await send(bodies[0] as string)).status).toBe(200));
    const answers = await eachOf(bodies, 10, send);
    expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 200));
    const count = before.events + 30;
    expect(await storedOf(postgres.url, 'acme')).toEqual({ events: count, entries: count, keys: count });
    expect(await rowsOf(postgres.url, 'select from rejections')).toHaveLength(2);
  });
});

describe('a source of a tenant that is not on the allowlist', () => {
  const running = useApp({ TENANT_ALLOWLIST: 'other' });

  it('answers 503, which providers try again', async () => {
    const source = await givenSource(running.app, running.pool, SIMPLE);
    const response = await sendWebhook(`${running.url}${source.path}`, fresh());
    expectProblem(response, 503, 'source-unavailable');
    expect(response.headers['retry-after']).toBe('60');
  });
});
