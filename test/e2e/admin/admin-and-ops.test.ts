import { AddressGuard } from '../../../src/destinations/address/address-guard';
import { ProxyHealth } from '../../../src/observability/proxy-health';
import { ReadinessChecks, type Readiness } from '../../../src/operations/readiness';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { expectProblem, postEvent, postStream, rawExchange } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { freePort } from '../../support/processes/free-port';
import { createTestVhost, type TestVhost } from '../../support/broker/rabbit';

interface Usage {
  tenantId: string;
  day: string;
  type: string;
  events: number;
  bytes: number;
  deliveries: number;
  processed: number;
  processedBytes: number;
  closed: boolean;
}

describe('admin and operations', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let all: TestApp;
  const apps: TestApp[] = [];
  const start = async (env: Record<string, string> = {}): Promise<TestApp> => {
    const app = await startTestApp(database.url, env);
    apps.push(app);
    return app;
  };
  beforeAll(async () => {
    [database, vhost] = await Promise.all([createTestDatabase(), createTestVhost()]);
    all = await start();
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await Promise.all([vhost.drop(), database.drop()]);
  });

  describe('GET /v1/admin/usage', () => {
    const usage = (query = '') => all.http.get(`/v1/admin/usage${query}`).set('X-Admin-Token', ADMIN_TOKEN);

    it.each<[string, Record<string, string | string[]>]>([
      ['missing', {}],
      ['empty', { 'X-Admin-Token': '' }],
      ['wrong', { 'X-Admin-Token': `${ADMIN_TOKEN}x` }],
      ['a beginning of the right one', { 'X-Admin-Token': ADMIN_TOKEN.slice(0, -1) }],
      ['doubled', { 'X-Admin-Token': [ADMIN_TOKEN, ADMIN_TOKEN] }],
      ['in the wrong header', { Authorization: `Bearer ${ADMIN_TOKEN}` }],
    ])('answers 401 when the token is %s', async (_what, headers) => {
      const response = await all.http.get('/v1/admin/usage').set(headers as Record<string, string>);
      expect(expectProblem(response, 401, 'admin-token-invalid').retryable).toBe(false);
      expect(response.text).not.toContain(ADMIN_TOKEN);
    });

    it('counts events and bytes by tenant, day and type, and duplicates once', async () => {
      const events = syntheticEvents(100, 'counted');
      const types = [...new Set(events.map(({ type }) => type))].sort();
      await postStream(all.url, 'counted', toNdjson(events));
      await postStream(all.url, 'counted', toNdjson(events));
      await postStream(all.url, 'not-counted', toNdjson(events.slice(0, 3)));
      const listed = await eventually(async () => {
        const { usage: rows } = (await usage('?tenantId=counted')).body as { usage: Usage[] };
        expect(rows.reduce((sum, row) => sum + row.processed, 0)).toBe(100);
        return rows;
      });
      expect(listed.map(({ type }) => type)).toEqual(types);
      for (const { type, events: count, day, tenantId, ...figures } of listed) {
        const { bytes, deliveries, processed, processedBytes, closed } = figures;
        const own = events.filter((event) => event.type === type);
        expect([tenantId, count, processed]).toEqual(['counted', own.length, own.length]);
        expect([deliveries, processedBytes, closed]).toEqual([0, bytes, false]);
        expect(bytes).toBe(own.reduce((sum, { line }) => sum + Buffer.byteLength(line), 0));
        expect(day).toMatch(/^\d{4}-\d{2}-\d{2}$/);
      }
    });

    it('counts an event once, at intake, however often its handlers run', async () => {
      const { body } = await postEvent(all.url, 'again', JSON.stringify(eventBody()));
      const rowOf = async () => ((await usage('?tenantId=again')).body as { usage: Usage[] }).usage[0];
      expect(await rowOf()).toMatchObject({ events: 1 });
      await eventually(async () => expect(await rowOf()).toMatchObject({ processed: 1 }));
      const replay = { tenantId: 'again', eventIds: [body.id], mode: 'reprocess' };
      await all.http.post('/v1/admin/replay').set('X-Admin-Token', ADMIN_TOKEN).send(replay).expect(202);
      await eventually(async () => expect(await rowOf()).toMatchObject({ events: 1, processed: 2 }));
    });

    it('is there as CSV, all rows in one response', async () => {
      await database.pool.query(
        `insert into usage_intake (tenant_id, day, type, events, bytes, deliveries)
         select 'csv', d::date, type, 2, 20, 1
           from generate_series('2020-01-01'::date, '2021-12-31', '1 day') d, unnest(array['=1+2', 'ü"b,c']) type`,
      );
      const rows = [];
      for (const csv of [
        await usage('?tenantId=csv&format=csv&limit=1').set('Accept', 'application/json'),
        await usage('?tenantId=csv').set('Accept', 'text/csv'),
        await usage('?tenantId=csv').set('Accept', 'application/json;q=0.5, text/csv'),
      ]) {
        expect([csv.status, csv.headers['content-type']]).toEqual([200, 'text/csv; charset=utf-8']);
        expect(csv.headers['content-disposition']).toBe('attachment; filename="usage.csv"');
        const lines = csv.text.split('\r\n');
        expect(lines[0]).toBe('tenant,day,type,events,bytes,deliveries,processed,processedBytes,closed');
        expect(lines[1]).toBe(`csv,2021-12-31,'=1+2,2,20,1,0,0,${lines[1]?.split(',').at(-1)}`);
        expect(lines[2]).toContain('csv,2021-12-31,"ü""b,c",2,20,1,0,0,');
        rows.push(lines.length - 2);
      }
      expect(rows).toEqual([2 * 731, 2 * 731, 2 * 731]);
      const none = await usage('?tenantId=nobody&format=csv');
      expect(none.text.split('\r\n')).toHaveLength(2);
      for (const accept of ['application/json, text/csv;q=0.1', '*/*', 'text/html'])
        expect((await usage('?tenantId=csv&limit=1').set('Accept', accept)).body).toHaveProperty('nextCursor');
      const refused = expectProblem(await usage('?format=xml'), 400, 'invalid-request');
      expect(refused.errors?.[0]?.pointer).toBe('/format');
    });

    it('filters by day', async () => {
      const past = await usage('?tenantId=counted&from=2020-01-01&to=2020-12-31');
      const countedThrough = expect.stringMatching(/^\d{4}-.*Z$/) as string;
      expect([past.status, past.body]).toEqual([200, { usage: [], nextCursor: null, countedThrough }]);
      const since = await usage('?tenantId=counted&from=2020-01-01');
      expect((since.body as { usage: Usage[] }).usage).toHaveLength(4);
    });

    it('takes instants, which select the whole days that they fall in, and lists pages', async () => {
      const pool = database.pool;
      await pool.query(
        `insert into usage_daily (tenant_id, day, type, events, bytes)
         select 'days', d::date, type, 1, 10
           from generate_series('2026-03-01'::date, '2026-03-04', '1 day') d, unnest(array['a', 'ü"b']) type`,
      );
      const days = async (query: string) => {
        const answer = await usage(`?tenantId=days&${query}`);
        expect(answer.status).toBe(200);
        return [...new Set((answer.body as { usage: Usage[] }).usage.map(({ day }) => Number(day.slice(-2))))];
      };
      expect(await days('from=2026-03-02T00:00:00Z&to=2026-03-04T00:00:00Z')).toEqual([3, 2]);
      expect(await days('from=2026-03-02T23:00:00Z&to=2026-03-03T00:00:00.001Z')).toEqual([3, 2]);
      expect(await days('from=2026-03-03T00:30:00%2B01:00&to=2026-03-03')).toEqual([3, 2]);
      expect(await days('from=2026-03-02&to=2026-03-02')).toEqual([2]);
      expect(await days('from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z')).toEqual([]);
      expect(await days('from=2026-03-02T12:00:00Z&to=2026-03-02')).toEqual([2]);

      const all: Usage[] = [];
      let cursor: string | null = '';
      do {
        const answer = await usage(`?tenantId=days&limit=3${cursor ? `&cursor=${cursor}` : ''}`);
        const page = answer.body as { usage: Usage[]; nextCursor: string | null };
        all.push(...page.usage);
        cursor = page.nextCursor;
      } while (cursor);
      expect(all.map(({ day, type }) => `${day.slice(-1)}${type}`)).toEqual(
        [4, 3, 2, 1].flatMap((d) => [`${d}a`, `${d}ü"b`]),
      );
    });

    it.each([
      'from=2026-03-02&to=2026-03-01',
      'from=2026-03-02T00:00:00.001Z&to=2026-03-02T00:00:00Z',
      'from=2026-03-02&to=2026-03-01T23:59:59Z',
      'from=2026-03-02T00:00:00Z&to=2026-03-01',
    ])('refuses ?%s, a range that ends before it starts', async (query) => {
      const problem = expectProblem(await usage(`?${query}`), 400, 'invalid-request');
      expect(problem.errors?.[0]?.pointer).toBe('/from');
    });

    it.each(['from=0001-01-01T00:00:00Z&to=0001-01-01T00:00:00Z', 'to=9999-12-31', 'from=9999-12-31T23:59:59.999Z'])(
      'accepts ?%s, at the ends of the calendar',
      async (query) => expect((await usage(`?${query}`)).status).toBe(200),
    );

    it.each([
      'from=yesterday',
      'from=2026-02-30',
      'to=2026-02-30T00:00:00Z',
      'cursor=x',
      'cursor=bnVsbA',
      'tenantId=-',
      'tenant=acme',
    ])('refuses ?%s', async (query) => {
      const problem = expectProblem(await usage(`?${query}`), 400, 'invalid-request');
      expect(problem.errors?.[0]?.pointer).toBe(`/${query.split('=')[0]}`);
    });
  });

  describe('GET /v1/events/{id} by an operator', () => {
    let id: string;
    beforeAll(async () => {
      id = (await postEvent(all.url, 'some-tenant', JSON.stringify(eventBody()))).body.id;
    });
    const read = (headers: Record<string, string>) => all.http.get(`/v1/events/${id}`).set(headers);

    it('needs no tenant, but does not find an event of another tenant', async () => {
      const found = await read({ 'X-Admin-Token': ADMIN_TOKEN });
      expect(found.body).toMatchObject({ id, tenantId: 'some-tenant' });
      const elsewhere = await read({ 'X-Admin-Token': ADMIN_TOKEN, 'X-Tenant-Id': 'other-tenant' });
      expectProblem(elsewhere, 404, 'event-not-found');
    });

    const ofAnyTenant = (name: string) =>
      all.http.get(`/v1/events/${encodeURIComponent(name)}`).set({ 'X-Admin-Token': ADMIN_TOKEN });

    it('needs no tenant for an eventId that only one tenant has', async () => {
      const { body } = await postEvent(all.url, 'only-one', JSON.stringify(eventBody({ eventId: 'unique/1' })));
      const found = await ofAnyTenant('unique/1');
      expect([found.status, found.body]).toMatchObject([200, { id: body.id, tenantId: 'only-one' }]);
      expect((await ofAnyTenant(body.id.toUpperCase())).body).toMatchObject({ id: body.id });
      expectProblem(await ofAnyTenant('UNIQUE/1'), 404, 'event-not-found');
      expectProblem(await ofAnyTenant('no such'), 404, 'event-not-found');
      expectProblem(await ofAnyTenant('a\0b'), 404, 'event-not-found');
    });

    it('is told which tenants have an eventId that several have, and nothing else of their events', async () => {
      const tenants = ['shared-a', 'shared-b', 'shared-c'];
      for (const tenant of tenants.toReversed())
        await postEvent(all.url, tenant, JSON.stringify(eventBody({ eventId: 'shared' })));
      const answer = await ofAnyTenant('shared');
      expect(expectProblem(answer, 409, 'event-id-ambiguous')).toMatchObject({ tenants, retryable: false });
      expect(answer.text).not.toContain('payload');
      const named = await all.http
        .get('/v1/events/shared')
        .set({ 'X-Admin-Token': ADMIN_TOKEN, 'X-Tenant-Id': 'shared-b' });
      expect(named.body).toMatchObject({ eventId: 'shared', tenantId: 'shared-b' });
    });

    it('finds an event by its id although another tenant has this id as an eventId', async () => {
      await postEvent(all.url, 'chain', JSON.stringify(eventBody({ eventId: id })));
      expect((await ofAnyTenant(id)).body).toMatchObject({ id, tenantId: 'some-tenant' });
    });

    it('is refused with a wrong token', async () => {
      const response = await read({ 'X-Admin-Token': 'wrong' });
      expect([400, 401]).toContain(response.status);
      expect(response.text).not.toContain('some-tenant');
    });
  });

  describe('GET /health', () => {
    it('answers 200 with the correlation id', async () => {
      const response = await all.http.get('/health').set('X-Correlation-Id', 'probe');
      expect(response.status).toBe(200);
      expect(response.headers['x-correlation-id']).toBe('probe');
    });
  });

  describe('GET /ready', () => {
    const readyOf = async (app: TestApp) => {
      const response = await app.http.get('/ready');
      return { httpStatus: response.status, ...(response.body as Readiness) };
    };
    const up = expect.objectContaining({ status: 'up' }) as object;
    const down = expect.objectContaining({ status: 'down' }) as object;

    it.each(['api', 'publisher', 'worker', 'all'])(
      'answers 200 and lists every dependency for a healthy %s',
      async (role) => {
        const env = { REDIS_URL: process.env.TEST_REDIS_URL as string, RABBITMQ_URL: vhost.url, APP_ROLE: role };
        const app = await start(env);
        const expected = { httpStatus: 200, status: 'ready', role, checks: { postgres: up, redis: up, rabbitmq: up } };
        await eventually(async () => expect(await readyOf(app)).toEqual(expected));
      },
    );

    it('answers 200 and degraded for an api without Redis and RabbitMQ', async () => {
      const [redis, rabbit] = [await freePort(), await freePort()];
      const env = { REDIS_URL: `redis://127.0.0.1:${redis}`, RABBITMQ_URL: `amqp://127.0.0.1:${rabbit}` };
      const ready = await readyOf(await start({ ...env, APP_ROLE: 'api' }));
      expect(ready).toEqual({
        httpStatus: 200,
        status: 'degraded',
        role: 'api',
        checks: { postgres: up, redis: down, rabbitmq: down },
      });
      expect(JSON.stringify(ready)).not.toMatch(new RegExp(`127\\.0\\.0\\.1|${rabbit}|${redis}`));
    });

    it.each(['publisher', 'worker'])('answers 503 for a %s without a broker', async (role) => {
      const app = await start({ APP_ROLE: role, RABBITMQ_URL: `amqp://127.0.0.1:${await freePort()}` });
      expect(await readyOf(app)).toMatchObject({ httpStatus: 503, checks: { postgres: up, rabbitmq: down } });
    });

    it('answers 200 and degraded for a minute after the proxy of destinations has failed', async () => {
      const app = await start({ DESTINATIONS_PROXY_URL: `http://127.0.0.1:${await freePort()}` });
      expect((await readyOf(app)).checks).not.toHaveProperty('proxy');
      const message = 'the proxy does not answer';
      app.app.get(ProxyHealth, { strict: false }).failed(message);
      const degraded = { httpStatus: 200, status: 'degraded', checks: { proxy: { status: 'down', message } } };
      expect(await readyOf(app)).toMatchObject(degraded);
      expect((await app.http.get('/metrics')).text).toContain('streamforge_dependency_up{dependency="proxy"} 0');
      expect(app.app.get(AddressGuard, { strict: false }).isCutOff).toBe(true);
    });

    it('answers 503 while the process drains', async () => {
      const app = await start();
      expect((await readyOf(app)).httpStatus).toBe(200);
      app.app.get(ReadinessChecks, { strict: false }).beforeApplicationShutdown();
      expect((await readyOf(app)).httpStatus).toBe(503);
    });
  });

  describe('GET /metrics', () => {
    it.each(['api', 'publisher', 'worker'])('is served by the %s', async (role) => {
      const app = await start({ APP_ROLE: role, RABBITMQ_URL: vhost.url });
      const response = await app.http.get('/metrics');
      expect(response.status).toBe(200);
      expect(response.headers['content-type']).toMatch(/^text\/plain/);
      expect(response.text).toMatch(/^streamforge_ingest_queue_depth 0$/m);
      expect(response.text).toMatch(/^process_cpu_seconds_total /m);
    });

    it('counts without a tenant, subject or id in any label', async () => {
      await postStream(all.url, 'labelled-tenant', toNdjson(syntheticEvents(5, 'labelled')));
      const text = await eventually(async () => {
        const response = await all.http.get('/metrics');
        expect(response.text).toMatch(/streamforge_worker_attempts_total\{[^}]*status="SUCCESS"[^}]*\} [1-9]/);
        return response.text;
      });
      expect(text).toMatch(/streamforge_ingest_total\{[^}]*status="accepted"[^}]*\} [1-9]/);
      expect(text).not.toMatch(/labelled/);
    });

    it('requires METRICS_TOKEN if it is set', async () => {
      const app = await start({ METRICS_TOKEN: 'scrape-me' });
      const scrape = (headers: Record<string, string>) => app.http.get('/metrics').set(headers);
      expect((await scrape({ Authorization: 'Bearer scrape-me' })).status).toBe(200);
      for (const headers of [{}, { Authorization: 'Bearer wrong' }, { Authorization: 'scrape-me' }]) {
        const response = await scrape(headers as Record<string, string>);
        expect(response.status).toBe(401);
        expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
        expect(response.text).not.toContain('streamforge_');
      }
    });
  });

  describe('GET /docs', () => {
    it('is served by the api', async () => {
      const app = await start({ APP_ROLE: 'api' });
      const page = await app.http.get('/docs').redirects(1);
      expect([page.status, page.type]).toEqual([200, 'text/html']);
      const described = await app.http.get('/docs-json');
      expect(described.status).toBe(200);
      const document = described.body as { openapi: string; paths: Record<string, object> };
      expect(document.openapi).toMatch(/^3\./);
      expect(Object.keys(document.paths)).toEqual(
        expect.arrayContaining(['/v1/events', '/v1/events/{id}', '/v1/ingest/stream', '/v1/admin/usage', '/ready']),
      );
    });

    it('documents too large and unsupported bodies for every admin endpoint with a body', async () => {
      type Operations = Record<string, { requestBody?: object; responses: object }>;
      const { paths } = (await all.http.get('/docs-json')).body as { paths: Record<string, Operations> };
      const withBody = Object.entries(paths).flatMap(([path, operations]) =>
        Object.entries(operations).flatMap(([method, { requestBody, responses }]) =>
          requestBody && path.startsWith('/v1/admin/') ? [{ path, method: method.toUpperCase(), responses }] : [],
        ),
      );
      expect(withBody.length).toBeGreaterThan(5);
      for (const { path, method, responses } of withBody) {
        expect(Object.keys(responses)).toEqual(expect.arrayContaining(['408', '413', '415']));
        const send = async (type: string, body: string): Promise<number> => {
          const headers = { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': type };
          return (await fetch(all.url + path.replaceAll(/{\w+}/g, 'x'), { method, headers, body })).status;
        };
        expect([path, await send('text/plain', 'x')]).toEqual([path, 415]);
        expect([path, await send('application/json', JSON.stringify({ x: 'x'.repeat(2_000_000) }))]).toEqual([
          path,
          413,
        ]);
      }
    });

    it.each(['publisher', 'worker'])('is not served by the %s', async (role) => {
      const app = await start({ APP_ROLE: role, RABBITMQ_URL: vhost.url });
      for (const path of ['/docs', '/docs-json', '/v1/events/x', '/v1/admin/usage']) {
        expectProblem(await app.http.get(path), 404, 'route-not-found');
      }
    });
  });

  it('answers a malformed HTTP request and keeps running', async () => {
    const answer = await rawExchange(all.url, 'NOT HTTP AT ALL\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect((await all.http.get('/health')).status).toBe(200);
  });
});
