import { RefusedAttempts } from '../../../src/access/refusals/refused-attempts';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import type { AuditPage } from '../../support/admin';
import { createdKey, ask } from '../../support/access/access-admin';
import { givenOperator, heedAccess } from '../../support/credentials';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, expectProblem, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';

describe('the way in', () => {
  let database: TestDatabase;
  const apps: TestApp[] = [];
  const start = async (env: Record<string, string> = {}): Promise<TestApp> => {
    const app = await startTestApp(database.url, { APP_ROLE: 'api', ...env });
    apps.push(app);
    return app;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await database.drop();
  });
  const audit = (url: string, headers: Record<string, string>) => call<AuditPage>(`${url}/v1/admin/audit`, { headers });
  const metricOf = async (url: string, kind: string, reason: string): Promise<number> => {
    const { text } = await call(`${url}/metrics`);
    const line = new RegExp(`^streamforge_auth_failures_total\\{kind="${kind}",reason="${reason}"\\} (\\d+)$`, 'm');
    return Number(line.exec(text)?.[1] ?? 0);
  };

  it('300 wrong tokens through a proxy lock out neither the operators nor anybody else behind it', async () => {
    const { url } = await start({ ADMIN_RATE_LIMIT_PER_MINUTE: '20' });
    for (let n = 0; n < 300; n++) await audit(url, { 'x-admin-token': 'a-guess' });
    expectProblem(await audit(url, { 'x-admin-token': 'a-guess' }), 429, 'admin-rate-limited');
    expect((await audit(url, { 'x-admin-token': ADMIN_TOKEN })).status).toBe(200);
    expect(await metricOf(url, 'operator', 'wrong')).toBe(301);
  });

  it('counts requests by the address that a trusted proxy tells', async () => {
    const { url } = await start({ ADMIN_RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY: '127.0.0.0/8' });
    const from = (address: string) => audit(url, { 'x-admin-token': ADMIN_TOKEN, 'x-forwarded-for': address });
    for (const address of ['192.0.2.1', '192.0.2.1', '192.0.2.2', '192.0.2.2']) {
      expect((await from(address)).status).toBe(200);
    }
    expectProblem(await from('192.0.2.1'), 429, 'admin-rate-limited');
    expect((await from('192.0.2.3:50123')).status).toBe(200);
  });

  it('believes no X-Forwarded-For of others, so nobody can choose an address', async () => {
    const { url } = await start({ ADMIN_RATE_LIMIT_PER_MINUTE: '2', TRUST_PROXY: '10.0.0.0/8' });
    const from = (address: string) => audit(url, { 'x-admin-token': ADMIN_TOKEN, 'x-forwarded-for': address });
    const statuses = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) statuses.push((await from(address)).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('compares the allow list of a key and records the audit with the address of the client', async () => {
    const { url } = await start({ TRUST_PROXY: '127.0.0.0/8' });
    const { key } = await createdKey(url, 'acme', { allow: ['192.0.2.0/24'] });
    const post = (address: string) =>
      postEvent(url, 'acme', JSON.stringify(eventBody()), { 'x-api-key': key, 'x-forwarded-for': address });
    expect((await post('192.0.2.7')).status).toBe(202);
    expectProblem(await post('198.51.100.7'), 403, 'address-not-allowed');
    expect(await metricOf(url, 'key', 'address')).toBe(1);
    const made = await call(`${url}/v1/admin/tenants`, {
      method: 'POST',
      headers: { 'x-admin-token': ADMIN_TOKEN, 'x-forwarded-for': '192.0.2.9', 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'blue', name: 'Blue' }),
    });
    expect(made.status).toBe(201);
    const { entries } = (await audit(url, { 'x-admin-token': ADMIN_TOKEN })).body;
    expect(entries[0]).toMatchObject({ action: 'tenant.create', address: '192.0.2.9' });
  });

  it('says why credentials were refused to operators, in a metric, and not to the caller', async () => {
    const { url, app } = await start();
    const operator = await givenOperator(database.pool, { role: 'viewer' });
    const expired = await givenOperator(database.pool, { role: 'viewer', expiresAt: new Date('2026-01-01T00:00:00Z') });
    heedAccess(app);
    const sent = {
      missing: {},
      malformed: { 'x-admin-token': operator.text.slice(0, -1) },
      unknown: { 'x-admin-token': (await givenOperator(database.pool, { role: 'owner', revokedAt: new Date() })).text },
      expired: { 'x-admin-token': expired.text },
      wrong: { 'x-admin-token': 'a-guess' },
    };
    const answers = [];
    for (const headers of Object.values(sent)) answers.push(await audit(url, { ...headers }));
    for (const answer of answers) expectProblem(answer, 401, 'admin-token-invalid');
    expect(new Set(answers.map(({ body }) => (body as unknown as { detail: string }).detail)).size).toBe(1);
    for (const reason of Object.keys(sent))
      expect([reason, await metricOf(url, 'operator', reason)]).toEqual([reason, 1]);
  });

  it('records refused requests to admin endpoints in the audit trail, one entry for many', async () => {
    const { url, app } = await start({ TRUST_PROXY: '127.0.0.0/8' });
    const viewer = await givenOperator(database.pool, { role: 'viewer' });
    heedAccess(app);
    for (let n = 0; n < 30; n++) await audit(url, { 'x-admin-token': 'a-guess', 'x-forwarded-for': '192.0.2.66' });
    for (let n = 0; n < 3; n++) await ask(url, 'POST', 'outbox/retry', { body: {}, token: viewer.text });
    await app.get(RefusedAttempts).runOnce();
    const { rows } = await database.pool.query(
      `select actor, role, address, filter, counts from admin_audit where action = 'access.refused' and (address = '192.0.2.66' or actor = $1)
        order by actor`,
      [viewer.name],
    );
    expect(rows).toEqual([
      {
        actor: 'streamforge',
        role: null,
        address: '192.0.2.66',
        filter: { reason: 'wrong', endpoint: 'GET /v1/admin/audit' },
        counts: { refused: 30 },
      },
      {
        actor: viewer.name,
        role: 'viewer',
        address: '127.0.0.1',
        filter: { reason: 'role', endpoint: 'POST /v1/admin/outbox/retry' },
        counts: { refused: 3 },
      },
    ]);
  });

  it('records a flood from many addresses in few entries', async () => {
    const { url, app } = await start({ TRUST_PROXY: '127.0.0.0/8' });
    const before = await countOf();
    for (let n = 0; n < 100; n++) await audit(url, { 'x-admin-token': 'a-guess', 'x-forwarded-for': `203.0.113.${n}` });
    await app.get(RefusedAttempts).runOnce();
    const after = await countOf();
    expect(after.refused - before.refused).toBe(100);
    expect(after.entries - before.entries).toBeLessThanOrEqual(21);
  });

  async function countOf(): Promise<{ entries: number; refused: number }> {
    const { rows } = await database.pool.query<{ entries: number; refused: number }>(
      `select count(*)::int as entries, coalesce(sum((counts->>'refused')::int), 0)::int as refused
         from admin_audit where action = 'access.refused'`,
    );
    return rows[0] as { entries: number; refused: number };
  }

  it('a server on a loopback address serves no other host', async () => {
    const { url } = await start({ PUBLIC_URL: 'https://events.example.com' });
    const as = (host: string) => call(`${url}/v1/whoami`, { headers: { host, 'x-tenant-id': 'acme' } });
    const refused = expectProblem(await as('evil.example:3000'), 421, 'host-not-allowed');
    expect(refused.retryable).toBe(false);
    for (const host of ['localhost:1', '127.0.0.1', 'events.example.com']) expect((await as(host)).status).toBe(200);
  });

  it('OPS_PORT serves everything, and PORT only what producers need', async () => {
    const { url, opsUrl } = await start({ OPS_PORT: '0', CORS_ALLOWED_ORIGINS: 'https://app.example.com' });
    const statusOf = async (base: string | undefined, path: string) =>
      (await call(`${base}${path}`, { headers: { 'x-admin-token': ADMIN_TOKEN, 'x-tenant-id': 'acme' } })).status;
    for (const path of ['/docs-json', '/metrics', '/v1/admin/audit', '/', '/runbooks/StreamForgeBacklogOld']) {
      expect([path, await statusOf(opsUrl, path)]).toEqual([path, 200]);
      expect([path, await statusOf(url, path)]).toEqual([path, 404]);
    }
    const codeOf = async (base: string | undefined, path: string) => {
      const { status, body } = await call<{ code?: string }>(`${base}${path}`, { headers: { 'x-tenant-id': 'acme' } });
      return [path, status, body.code];
    };
    for (const path of ['/health', '/ready', '/v1/whoami', '/in/unknown', '/v1/events/unknown']) {
      expect(await codeOf(url, path)).toEqual(await codeOf(opsUrl, path));
      expect(await codeOf(url, path)).not.toContain('route-not-found');
    }
    expectProblem(await call(`${url}/v1/admin/audit`), 404, 'route-not-found');
    for (const path of ['/', '/console', '/console/events']) {
      expectProblem(await call(`${url}${path}`), 404, 'route-not-found');
      expect([path, (await call(`${opsUrl}${path}`)).status]).toEqual([path, 200]);
    }
    const preflight = await call(`${url}/v1/events`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    });
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([
      200,
      'https://app.example.com',
    ]);
  });

  it('without docs, browsers are not led to them', async () => {
    const { url } = await start({ DOCS: 'false' });
    expect((await call(`${url}/docs`)).status).toBe(404);
    expect((await call(`${url}/docs-json`)).status).toBe(404);
    const root = await call(`${url}/`, { headers: { accept: 'text/html' } });
    expect([root.status, root.headers.location]).toEqual([302, '/console']);
    expect(Object.keys((await call<{ links: object }>(`${url}/`)).body.links)).not.toContain('docs');
  });
});
