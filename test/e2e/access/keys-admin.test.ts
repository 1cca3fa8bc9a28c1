import { admin, type AuditPage } from '../../support/admin';
import { ask, createdKey, createdOperator, expectStatus, type KeyBody } from '../../support/access/access-admin';
import { givenKey } from '../../support/credentials';
import { call, expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';

interface Page {
  keys: KeyBody[];
  nextCursor: string | null;
}
const FUTURE = '2036-01-31T12:00:00.000Z';

describe('/v1/admin/tenants/{tenantId}/keys', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const whoami = (key: string) =>
    call<{ id: string }>(`${api.url}/v1/whoami`, { headers: { authorization: `Bearer ${key}` } });
  const list = (tenantId: string, query = '') =>
    expectStatus(200, ask<Page>(api.url, 'GET', `tenants/${tenantId}/keys${query}`));
  const rotate = (tenantId: string, id: string, body?: object) =>
    ask<KeyBody>(api.url, 'POST', `tenants/${tenantId}/keys/${id}/rotate`, { body });
  const revoke = (tenantId: string, id: string) => ask(api.url, 'DELETE', `tenants/${tenantId}/keys/${id}`);

  it('shows a key once, stores a digest of its secret, and accepts it at once', async () => {
    const created = await createdKey(api.url, 'once', { expiresAt: FUTURE, allow: ['127.0.0.0/8', '::1/128'] });
    const { key, ...shown } = created;
    expect(key).toMatch(new RegExp(`^sfk_${created.id}_[0-9A-Za-z]{49}$`));
    expect(shown).toMatchObject({ tenantId: 'once', createdBy: 'admin', expiresAt: FUTURE, revokedAt: null });
    expect((await whoami(key)).body).toMatchObject({ kind: 'key', id: created.id, tenantId: 'once' });
    expect((await list('once')).keys).toEqual([shown]);
    const stored = await api.pool.query('select * from api_keys where id = $1', [created.id]);
    expect(JSON.stringify(stored.rows)).not.toContain(key.slice(18, 40));
    const audit = await admin<AuditPage>(api.url, 'audit?limit=5');
    expect(audit.text).toContain(created.id);
    expect(audit.text).not.toContain(key.slice(18, 40));
    expect(audit.body.entries[0]).toMatchObject({ action: 'key.create', actor: 'admin' });
  });

  it('revokes a key', async () => {
    const { id, key } = await createdKey(api.url, 'ended');
    expect((await whoami(key)).status).toBe(200);
    expectProblem(await revoke('other', id), 404, 'key-not-found');
    expect((await revoke('ended', id)).status).toBe(204);
    expectProblem(await whoami(key), 401, 'api-key-invalid');
    expect((await list('ended')).keys[0]?.revokedAt).toEqual(expect.any(String));
    expectProblem(await revoke('ended', id), 404, 'key-not-found');
    expectProblem(await rotate('ended', id), 404, 'key-not-found');
    expectProblem(await revoke('ended', '000000000000'), 404, 'key-not-found');
  });

  it('rotates a key: both are valid during the overlap, and the second one has the rights and the end of the first', async () => {
    const rights = { name: 'pos', scopes: ['ingest'], allow: ['127.0.0.0/8'], expiresAt: FUTURE };
    const first = await createdKey(api.url, 'rotating', rights);
    const second = await expectStatus(201, rotate('rotating', first.id, { overlapSeconds: 60 }));
    expect(second).toMatchObject(rights);
    expect(second.id).not.toBe(first.id);
    for (const { key, id } of [first, second]) expect((await whoami(key)).body).toMatchObject({ id });
    const { keys } = await list('rotating');
    const end = Date.parse(keys.find(({ id }) => id === first.id)?.expiresAt ?? '');
    expect(Math.abs(end - Date.now() - 60_000)).toBeLessThan(10_000);

    const third = await expectStatus(201, rotate('rotating', second.id, { overlapSeconds: 0 }));
    expectProblem(await whoami(second.key), 401, 'api-key-invalid');
    expect((await whoami(third.key)).status).toBe(200);
  });

  it('never lets the first key live longer than without the rotation', async () => {
    const soon = new Date(Date.now() + 30_000).toISOString();
    const first = await createdKey(api.url, 'short', { expiresAt: soon });
    await expectStatus(201, rotate('short', first.id));
    expect((await list('short')).keys.map(({ expiresAt }) => expiresAt)).toEqual([soon, soon]);
  });

  it('gives a key of a repeated rotation the same end, not that of the overlap', async () => {
    for (const expiresAt of [FUTURE, null]) {
      const first = await createdKey(api.url, 'repeated', { expiresAt });
      const ends = [
        (await expectStatus(201, rotate('repeated', first.id))).expiresAt,
        (await expectStatus(201, rotate('repeated', first.id, { overlapSeconds: 60 }))).expiresAt,
      ];
      expect(ends).toEqual([expiresAt, expiresAt]);
      const shortened = (await list('repeated')).keys.find(({ id }) => id === first.id)?.expiresAt ?? '';
      expect(Date.parse(shortened)).toBeLessThan(Date.now() + 70_000);
    }
  });

  it.each([
    ['name', { name: '' }],
    ['scopes', { scopes: [] }],
    ['scopes', { scopes: ['ingest', 'ingest'] }],
    ['scopes', { scopes: ['admin'] }],
    ['expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['allow', { allow: [] }],
    ['allow', { allow: ['10/8'] }],
    ['allow', { allow: ['127.0.0.1'] }],
    ['allow', { allow: ['10.0.0.0/33'] }],
  ])('refuses an invalid %s: %j', async (property, wrong) => {
    const body = { name: 'n', scopes: ['read'], ...wrong };
    const refused = await ask(api.url, 'POST', 'tenants/wrong/keys', { body });
    const problem = expectProblem({ ...refused, text: refused.text.replace('127.0.0.1', '') }, 400, 'invalid-request');
    expect(new Set(problem.errors?.map(({ pointer }) => pointer))).toEqual(new Set([`/${property}`]));
  });

  it('keeps at most 20 live keys of a tenant, also when two requests want the last place', async () => {
    for (let n = 0; n < 19; n++) await givenKey(api.pool, { tenantId: 'full' });
    await givenKey(api.pool, { tenantId: 'full', expiresAt: new Date(Date.now() - 1_000) });
    await givenKey(api.pool, { tenantId: 'full', revokedAt: new Date() });
    const body = { name: 'last', scopes: ['read'] };
    const race = await Promise.all([1, 2, 3].map(() => ask<KeyBody>(api.url, 'POST', 'tenants/full/keys', { body })));
    expect(race.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expectProblem(await ask(api.url, 'POST', 'tenants/full/keys', { body }), 409, 'too-many-credentials');
    const last = race.find(({ status }) => status === 201)?.body as KeyBody;
    expectProblem(await rotate('full', last.id, { overlapSeconds: 60 }), 409, 'too-many-credentials');
    expect((await whoami(last.key)).status).toBe(200);
    // A rotation without an overlap takes the place of the first key.
    await expectStatus(201, rotate('full', last.id, { overlapSeconds: 0 }));
  });

  it('lets processes forget keys that have been expired for 30 days, when the tenant gets another key', async () => {
    const days = (count: number) => new Date(Date.now() - count * 24 * 3_600_000);
    const [long, lately] = [
      await givenKey(api.pool, { tenantId: 'aged', expiresAt: days(31) }),
      await givenKey(api.pool, { tenantId: 'aged', expiresAt: days(29) }),
    ];
    await createdKey(api.url, 'aged');
    expectProblem(await whoami(long.text), 401, 'api-key-invalid');
    expectProblem(await whoami(lately.text), 401, 'api-key-expired');
  });

  it('lists the keys of one tenant, newest first, in pages', async () => {
    const names = ['one', 'two', 'three'];
    for (const name of names) await givenKey(api.pool, { tenantId: 'pages', name });
    const first = await list('pages', '?limit=2');
    expect(first.keys.map(({ name }) => name)).toEqual(['three', 'two']);
    expect((await list('pages', `?limit=2&cursor=${first.nextCursor}`)).keys.map(({ name }) => name)).toEqual(['one']);
    expect((await list('elsewhere', `?cursor=${first.nextCursor}`)).keys).toEqual([]);
    expect((await list('none')).keys).toEqual([]);
  });

  it('creates no key of the reserved tenant', async () => {
    const body = { name: 'n', scopes: ['read'] };
    expectProblem(await ask(api.url, 'POST', 'tenants/streamforge/keys', { body }), 403, 'tenant-reserved');
    expectProblem(await ask(api.url, 'POST', 'tenants/no%20spaces/keys', { body }), 400, 'invalid-request');
    expectProblem(await ask(api.url, 'DELETE', 'tenants/a/keys/%00'), 400, 'invalid-request');
  });

  it('lets a bound owner manage the keys of its own tenants only, and a viewer list them', async () => {
    const [owner, viewer] = [
      await createdOperator(api.url, { role: 'owner', name: 'bound owner', tenantIds: ['bound'] }),
      await createdOperator(api.url, { role: 'viewer' }),
    ];
    const theirs = await createdKey(api.url, 'foreign');
    const token = owner.token;
    const body = { name: 'n', scopes: ['read'] };
    const own = await expectStatus(201, ask<KeyBody>(api.url, 'POST', 'tenants/bound/keys', { body, token }));
    expect(own.createdBy).toBe('bound owner');
    const foreign: [method: string, path: string, body?: object][] = [
      ['GET', ''],
      ['POST', '', body],
      ['POST', `/${theirs.id}/rotate`],
      ['DELETE', `/${theirs.id}`],
    ];
    for (const [method, path, content] of foreign) {
      const refused = await ask(api.url, method, `tenants/foreign/keys${path}`, { body: content, token });
      expectProblem(refused, 404, 'tenant-not-found');
    }
    // Nor by naming a tenant of its own.
    expectProblem(await ask(api.url, 'DELETE', `tenants/bound/keys/${theirs.id}`, { token }), 404, 'key-not-found');
    await expectStatus(200, ask(api.url, 'GET', 'tenants/bound/keys', { token: viewer.token }));
    for (const [method, path, content] of foreign.slice(1)) {
      const refused = await ask(api.url, method, `tenants/foreign/keys${path}`, { body: content, token: viewer.token });
      expectProblem(refused, 403, 'role-insufficient');
    }
    expect((await whoami(theirs.key)).status).toBe(200);
  });
});

describe('with TENANT_AUTH=key', () => {
  const api = useApp({ APP_ROLE: 'api', TENANT_AUTH: 'key', DESTINATIONS_ALLOW_PRIVATE: 'true' });

  it('keys and destinations need a registered tenant', async () => {
    const key = { name: 'n', scopes: ['read'] };
    const destination = { tenantId: 'late', url: 'http://127.0.0.1:9/' };
    expectProblem(await ask(api.url, 'POST', 'tenants/late/keys', { body: key }), 404, 'tenant-not-found');
    expectProblem(await ask(api.url, 'GET', 'tenants/late/keys'), 404, 'tenant-not-found');
    expectProblem(await ask(api.url, 'POST', 'destinations', { body: destination }), 404, 'tenant-not-found');
    await expectStatus(201, ask(api.url, 'POST', 'tenants', { body: { id: 'late', name: 'Late' } }));
    await expectStatus(201, ask(api.url, 'POST', 'tenants/late/keys', { body: key }));
    await expectStatus(200, ask(api.url, 'GET', 'tenants/late/keys'));
    await expectStatus(201, ask(api.url, 'POST', 'destinations', { body: destination }));
  });
});
