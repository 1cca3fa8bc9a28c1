import type { OutgoingHttpHeaders } from 'node:http';
import { SignJWT, UnsecuredJWT, type JWTPayload } from 'jose';
import { checkOidc } from '../../../src/commands/doctor/check-oidc';
import { ADMIN_TOKEN, startTestApp, type TestApp } from '../../support/app';
import { admin, type AuditPage } from '../../support/admin';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { call, expectProblem, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { startIssuer, usualClaims, type TestIssuer } from '../../support/oidc-issuer';
import { freePort } from '../../support/processes/free-port';

const bearer = (token: string): OutgoingHttpHeaders => ({ authorization: `Bearer ${token}` });

describe('operators with tokens of an OIDC issuer', () => {
  let database: TestDatabase;
  let issuer: TestIssuer;
  const apps: TestApp[] = [];
  /** Each api process has its own cache of keys and its own count of refused credentials. */
  const start = async (env: Record<string, string> = {}): Promise<string> => {
    const app = await startTestApp(database.url, { APP_ROLE: 'api', ...issuer.env, ...env });
    apps.push(app);
    return app.url;
  };
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    issuer = await startIssuer();
  });
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.close()));
    await issuer.close();
  });
  afterAll(() => database.drop());

  const whoami = (url: string, token: string) => call(`${url}/v1/whoami`, { headers: bearer(token) });
  const outbox = (url: string, token: string) => call(`${url}/v1/admin/outbox`, { headers: bearer(token) });

  it.each(['RS256', 'ES256', 'EdDSA'])('are admitted with the role of their claims, signed with %s', async (alg) => {
    await issuer.rotate({ alg });
    const url = await start();
    const answer = await whoami(url, await issuer.sign({ groups: ['everybody', 'support', 'platform'] }));
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      kind: 'operator',
      id: '00u1',
      name: 'oidc:ann@example.com',
      tenantId: null,
      scopes: null,
      role: 'owner',
      tenantIds: null,
    });
    expect((await outbox(url, await issuer.sign({ groups: [], realm_access: { roles: ['looker'] } }))).status).toBe(
      200,
    );
    expect(issuer.reads).toBe(1);
  });

  it('may do what their role allows, and stand in the audit trail by name', async () => {
    const url = await start();
    const post = async (path: string, body: object) =>
      call(`${url}/v1/admin/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(await issuer.sign()) },
        body: JSON.stringify(body),
      });
    expect((await post('dlq/retry', { tenantId: 'acme', note: 'by OIDC' })).status).toBe(202);
    const { entries } = (await admin<AuditPage>(url, 'audit')).body;
    expect(entries[0]).toMatchObject({ actor: 'oidc:ann@example.com', role: 'support', note: 'by OIDC' });
    expectProblem(await post('outbox/retry', {}), 403, 'role-insufficient');
  });

  it('read events of any tenant, and of one with X-Tenant-Id', async () => {
    const url = await start();
    const { id } = (await postEvent(url, 'acme', JSON.stringify(eventBody()))).body;
    const read = async (headers: OutgoingHttpHeaders) =>
      call(`${url}/v1/events/${id}`, { headers: { ...bearer(await issuer.sign()), ...headers } });
    expect((await read({})).status).toBe(200);
    expect((await read({ 'x-tenant-id': 'acme' })).status).toBe(200);
    expectProblem(await read({ 'x-tenant-id': 'other' }), 404, 'event-not-found');
  });

  const wrong: [string, (its: TestIssuer) => Promise<string>][] = [
    ['is expired', (its) => its.sign({ exp: Math.floor(Date.now() / 1000) - 60 })],
    ['is not valid yet', (its) => its.sign({ nbf: Math.floor(Date.now() / 1000) + 120 })],
    ['has another audience', (its) => its.sign({ aud: 'another-service' })],
    ['has another issuer', (its) => its.sign({ iss: 'https://id.example.com' })],
    ['has no sub', (its) => its.sign({ sub: undefined })],
    ['gives no role', (its) => its.sign({ groups: ['everybody'] })],
    ['never expires', (its) => its.sign({ exp: undefined })],
    ['is signed by a key that the issuer does not publish', (its) => signedByStranger(its)],
    ['is not signed', (its) => Promise.resolve(new UnsecuredJWT(usualClaims(its.url)).encode())],
    ['is signed by HMAC with the public key', (its) => signedByPublicKey(its)],
    ['was changed', async (its) => withOtherClaims(await its.sign())],
    ['has half a signature', async (its) => (await its.sign()).slice(0, -20)],
    ['has no signature', async (its) => `${(await its.sign()).split('.').slice(0, 2).join('.')}.`],
    ['is no JWT', () => Promise.resolve('a.b.c')],
  ];
  it.each(wrong)('are refused with 401 if the token %s', async (_what, make) => {
    const url = await start();
    const token = await make(issuer);
    const refused = await outbox(url, token);
    const { correlationId: _, ...problem } = expectProblem(refused, 401, 'admin-token-invalid');
    const { correlationId: __, ...ofGuess } = expectProblem(await outbox(url, 'a-guess'), 401, 'admin-token-invalid');
    expect(problem).toEqual(ofGuess);
    expect(refused.headers['www-authenticate']).toBe('Bearer');
  });

  const odd: [header: object, claims: unknown][] = [
    [{ alg: 'ES256', kid: {} }, undefined],
    [{ alg: 'ES256', kid: ['key-1'] }, undefined],
    [{ alg: 'ES256', jwk: { kty: 'oct', k: 'AA' } }, undefined],
    [{ alg: 'ES256', jku: 'http://127.0.0.1:1/keys' }, undefined],
    [{ alg: 'ES256', crit: ['b64'], b64: false }, undefined],
    [{ alg: 'ES256', crit: 'exp' }, undefined],
    [{ alg: ['ES256'] }, undefined],
    [{ alg: 'RS256', kid: 'key-1' }, undefined],
    [{ alg: 'EdDSA', kid: 'key-1' }, undefined],
    [{ alg: 'RSA-OAEP', enc: 'A256GCM' }, undefined],
    [{ alg: 'ES256', kid: 'key-1' }, []],
    [{ alg: 'ES256', kid: 'key-1' }, null],
    [{ alg: 'ES256', kid: 'key-1' }, 'text'],
  ];
  it.each(odd)('are refused with 401 if the token has the header %j and the claims %j', async (header, claims) => {
    const url = await start();
    const parts = [header, claims === undefined ? usualClaims(issuer.url) : claims].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    );
    for (const signature of ['AA', 'A'.repeat(86), '!', 'AA.AA.AA']) {
      expectProblem(await outbox(url, [...parts, signature].join('.')), 401, 'admin-token-invalid');
    }
  });

  it('are told apart by a clock that may differ by half a minute', async () => {
    const url = await start();
    const now = Math.floor(Date.now() / 1000);
    expect((await outbox(url, await issuer.sign({ exp: now - 10, nbf: now + 10 }))).status).toBe(200);
  });

  it('take the token only from Authorization', async () => {
    const url = await start();
    const headers = { 'x-admin-token': await issuer.sign() };
    expectProblem(await call(`${url}/v1/admin/outbox`, { headers }), 401, 'admin-token-invalid');
  });

  it('go on when the issuer adds a key, and end with a withdrawn key when keys are read again', async () => {
    const url = await start();
    const old = await issuer.sign();
    await issuer.rotate({ keep: true });
    expect((await outbox(url, await issuer.sign())).status).toBe(200); // the first read, which finds both keys
    expect((await outbox(url, old)).status).toBe(200);

    await issuer.rotate();
    const [sinceStart, ofDay] = [performance.now.bind(performance), Date.now.bind(Date)];
    jest.spyOn(performance, 'now').mockImplementation(() => sinceStart() + 31_000);
    jest.spyOn(Date, 'now').mockImplementation(() => ofDay() - 3_600_000); // the clock of the machine does not matter
    try {
      const signed = await issuer.sign({ exp: Math.floor(ofDay() / 1000) + 300 });
      expect((await outbox(url, signed)).status).toBe(200);
      expectProblem(await outbox(url, old), 401, 'admin-token-invalid');
      expect(issuer.reads).toBe(2);
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('cannot make StreamForge ask the issuer for every token with an unknown key', async () => {
    const url = await start();
    expect((await outbox(url, await issuer.sign())).status).toBe(200);
    for (let n = 0; n < 10; n++) {
      expectProblem(await outbox(url, await signedByStranger(issuer)), 401, 'admin-token-invalid');
    }
    expect((await outbox(url, await issuer.sign())).status).toBe(200);
    expect(issuer.reads).toBe(1);
  });

  it.each(['error', 'slow', 'other-issuer', 'huge'] as const)(
    'get 503 while the issuer is of no use (%s), and nobody else notices',
    async (mode) => {
      issuer.mode = mode;
      const url = await start();
      const refused = await outbox(url, await issuer.sign());
      expect(expectProblem(refused, 503, 'issuer-unavailable').retryable).toBe(true);
      expect(refused.headers['retry-after']).toBe('5');
      const startedAt = Date.now();
      expectProblem(await whoami(url, await issuer.sign()), 503, 'issuer-unavailable');
      expect(Date.now() - startedAt).toBeLessThan(1_000); // the issuer is left alone for a while
      const byToken = await call(`${url}/v1/admin/outbox`, { headers: { 'x-admin-token': ADMIN_TOKEN } });
      expect(byToken.status).toBe(200);
      expect((await postEvent(url, 'acme', JSON.stringify(eventBody()))).status).toBe(202);

      issuer.mode = 'up';
      const now = performance.now.bind(performance);
      const later = jest.spyOn(performance, 'now').mockImplementation(() => now() + 6_000);
      try {
        expect((await outbox(url, await issuer.sign())).status).toBe(200);
      } finally {
        later.mockRestore();
      }
    },
  );

  it('go on with the keys in memory while the issuer is down', async () => {
    const url = await start();
    expect((await outbox(url, await issuer.sign())).status).toBe(200);
    issuer.mode = 'error';
    expect((await outbox(url, await issuer.sign())).status).toBe(200);
  });

  it('depend on an issuer that doctor checks', async () => {
    expect(await checkOidc(undefined)).toEqual([]);
    expect(await checkOidc(issuer.url)).toMatchObject([{ what: 'oidc', severity: 'ok' }]);
    for (const mode of ['error', 'other-issuer', 'huge', 'slow'] as const) {
      issuer.mode = mode;
      expect(await checkOidc(issuer.url)).toMatchObject([{ what: 'oidc', severity: 'problem' }]);
    }
    const [finding] = await checkOidc(`http://127.0.0.1:${await freePort()}`);
    expect(finding?.sentence).toMatch(/ECONNREFUSED.*: correct OIDC_ISSUER/);
  });

  it('are unknown where OIDC is not set up', async () => {
    const url = await start({ OIDC_ISSUER: '', OIDC_AUDIENCE: '', OIDC_ROLES: '' });
    expectProblem(await outbox(url, await issuer.sign()), 401, 'admin-token-invalid');
    const { id } = (await postEvent(url, 'acme', JSON.stringify(eventBody()))).body;
    const headers = { ...bearer(await issuer.sign()), 'x-tenant-id': 'acme' };
    expect((await call(`${url}/v1/events/${id}`, { headers })).status).toBe(200); // as a proxy's header
    expect(issuer.reads).toBe(0);
  });

  it('are no tenants: their tokens give nothing to POST /v1/events, and are ignored beside X-Tenant-Id', async () => {
    const body = JSON.stringify(eventBody());
    const post = async (url: string, headers: OutgoingHttpHeaders) =>
      call(`${url}/v1/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...bearer(await issuer.sign()), ...headers },
        body,
      });
    const byHeader = await start();
    expect((await post(byHeader, { 'x-tenant-id': 'acme' })).status).toBe(202);
    expectProblem(await post(byHeader, {}), 400, 'tenant-required');
    expectProblem(await post(await start({ TENANT_AUTH: 'key' }), {}), 401, 'api-key-invalid');
    expect(issuer.reads).toBe(0);
  });

  it("are not confused with a proxy's token of another audience beside X-Tenant-Id", async () => {
    const url = await start();
    const { id } = (await postEvent(url, 'acme', JSON.stringify(eventBody()))).body;
    const headers = { ...bearer(await issuer.sign({ aud: 'the-proxy' })), 'x-tenant-id': 'acme' };
    expect((await call(`${url}/v1/events/${id}`, { headers })).status).toBe(200);
  });
});

async function signedByStranger(issuer: TestIssuer): Promise<string> {
  const stranger = await startIssuer();
  try {
    await stranger.rotate();
    return await stranger.sign(usualClaims(issuer.url));
  } finally {
    await stranger.close();
  }
}

function signedByPublicKey(issuer: TestIssuer): Promise<string> {
  const [jwk] = issuer.jwks.keys;
  return new SignJWT(usualClaims(issuer.url))
    .setProtectedHeader({ alg: 'HS256', kid: jwk?.kid })
    .sign(Buffer.from(JSON.stringify(jwk)));
}

function withOtherClaims(token: string): string {
  const [header, claims, signature] = token.split('.') as [string, string, string];
  const changed = { ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as JWTPayload), groups: ['platform'] };
  return [header, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
}
