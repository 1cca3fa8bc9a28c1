import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { admin, type AuditPage } from '../../support/admin';
import { ask, expectStatus, type OperatorBody } from '../../support/access/access-admin';
import { call, expectProblem } from '../../support/e2e-http';
import { givenOperator } from '../../support/credentials';
import { useApp } from '../../support/fixtures/app';

interface Page {
  operators: OperatorBody[];
  nextCursor: string | null;
}
const FUTURE = '2036-01-31T12:00:00.000Z';

describe('/v1/admin/operators', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const create = (body: object, token?: string) => ask<OperatorBody>(api.url, 'POST', 'operators', { body, token });
  const change = (id: string, body: object, token?: string) =>
    ask<OperatorBody>(api.url, 'PATCH', `operators/${id}`, { body, token });
  const whoami = (token: string) =>
    call<object>(`${api.url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });

  it('creates an operator, shows the token once, and accepts it at once', async () => {
    const created = await expectStatus(201, create({ name: 'ada', role: 'viewer', expiresAt: FUTURE }));
    const { token, ...shown } = created;
    expect(token).toMatch(new RegExp(`^sfa_${created.id}_[0-9A-Za-z]{49}$`));
    expect(shown).toMatchObject({
      name: 'ada',
      role: 'viewer',
      tenantIds: null,
      createdBy: 'admin',
      expiresAt: FUTURE,
    });
    expect((await whoami(token)).body).toEqual({
      kind: 'operator',
      id: created.id,
      name: 'ada',
      role: 'viewer',
      tenantId: null,
      scopes: null,
      tenantIds: null,
    });
    const listed = await ask<Page>(api.url, 'GET', 'operators');
    expect(listed.body.operators).toContainEqual(shown);
    const audit = await admin<AuditPage>(api.url, 'audit?limit=3');
    expect(audit.body.entries[0]).toMatchObject({ action: 'operator.create', filter: { id: created.id } });
    expect(listed.text + audit.text).not.toContain(token.slice(18, 40));
  });

  it('changes the role, the tenants and the end, at once, and keeps the token', async () => {
    const { id, token } = await expectStatus(201, create({ name: 'changing', role: 'viewer' }));
    const send = () => ask(api.url, 'POST', 'tenants', { body: { id: `t-${Date.now()}`, name: 't' }, token });
    expectProblem(await send(), 403, 'role-insufficient');
    await expectStatus(200, change(id, { role: 'owner' }));
    await expectStatus(201, send());
    expect(await expectStatus(200, change(id, { tenantIds: ['a', 'b'] }))).toMatchObject({
      role: 'owner',
      tenantIds: ['a', 'b'],
    });
    expectProblem(await send(), 403, 'role-insufficient');
    expect(await expectStatus(200, change(id, { tenantIds: null, expiresAt: FUTURE }))).toMatchObject({
      tenantIds: null,
      expiresAt: FUTURE,
    });
    expect(await expectStatus(200, change(id, { expiresAt: null, name: 'renamed' }))).toMatchObject({
      name: 'renamed',
      expiresAt: null,
    });
    expect((await whoami(token)).body).toMatchObject({ name: 'renamed' });
  });

  it('revokes an operator, whose name is then free', async () => {
    const { id, token } = await expectStatus(201, create({ name: 'leaving', role: 'owner' }));
    expectProblem(await create({ name: 'leaving', role: 'viewer' }), 409, 'already-exists');
    expect((await ask(api.url, 'DELETE', `operators/${id}`, { token })).status).toBe(204);
    expectProblem(await whoami(token), 401, 'admin-token-invalid');
    expectProblem(await ask(api.url, 'DELETE', `operators/${id}`), 404, 'operator-not-found');
    expectProblem(await change(id, { role: 'owner' }), 404, 'operator-not-found');
    await expectStatus(201, create({ name: 'leaving', role: 'viewer' }));
  });

  it.each([
    ['was revoked', 'DELETE', undefined, 401, 'admin-token-invalid'],
    ['lost the role', 'PATCH', { role: 'operator' }, 403, 'role-insufficient'],
    ['lost the tenant', 'PATCH', { tenantIds: ['fast'] }, 403, 'role-insufficient'],
  ])('refuses a request whose sender %s while its body was on its way', async (what, method, body, status, code) => {
    const { id, token } = await expectStatus(
      201,
      create({ name: `who ${what}`, role: 'owner', tenantIds: ['slow', 'fast'] }),
    );
    const slowBody = async function* (): AsyncGenerator<string> {
      yield '{"name":"kept","role":"owner",';
      await sleep(200); // the headers have arrived
      expect((await ask(api.url, method, `operators/${id}`, { body })).status).toBeLessThan(300);
      yield '"tenantIds":["slow"]}';
    };
    const headers = { 'x-admin-token': token, 'content-type': 'application/json' };
    const sent = call(`${api.url}/v1/admin/operators`, { method: 'POST', headers, body: Readable.from(slowBody()) });
    expectProblem(await sent, status, code);
  });

  it('refuses a name that another one has, but not the own one', async () => {
    const [first, second] = [
      await expectStatus(201, create({ name: 'first', role: 'viewer' })),
      await expectStatus(201, create({ name: 'second', role: 'viewer' })),
    ];
    expectProblem(await change(second.id, { name: 'first' }), 409, 'already-exists');
    await expectStatus(200, change(first.id, { name: 'first' }));
    expectProblem(await change('000000000000', { name: 'first' }), 404, 'operator-not-found');
    const twins = await Promise.all([1, 2].map(() => create({ name: 'twin', role: 'viewer' })));
    expect(twins.map(({ status }) => status).sort()).toEqual([201, 409]);
  });

  it.each([
    'admin',
    'Admin',
    'StreamForge',
    'streamforge',
    'cli',
    ' admin',
    'admin ',
    'ａｄｍｉｎ',
    'oidc:ada@example.com',
    'OIDC:ada',
    'oidc:ada',
    'OIDC:ada',
    'ad\u00admin',
    'admin\u200b',
    'admin\ufe0f',
    'admin\u3164',
    'ada\nadmin',
    'ada\u202e',
  ])('refuses the name %j', async (name) => {
    expectProblem(await create({ name, role: 'viewer' }), 400, 'invalid-request');
    const { id } = await expectStatus(201, create({ name: `other ${Math.random()}`, role: 'viewer' }));
    expectProblem(await change(id, { name }), 400, 'invalid-request');
  });

  it.each([
    ['role', { role: 'root' }],
    ['tenantIds', { tenantIds: [] }],
    ['tenantIds', { tenantIds: ['no spaces'] }],
    ['tenantIds', { tenantIds: Array.from({ length: 1_001 }, (_, n) => `t-${n}`) }],
    ['expiresAt', { expiresAt: '2020-01-01T00:00:00Z' }],
  ])('refuses an invalid %s', async (property, wrong) => {
    const problem = expectProblem(await create({ name: 'wrong', role: 'viewer', ...wrong }), 400, 'invalid-request');
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual([`/${property}`]);
  });

  it('lets a bound owner create, see and change operators of its own tenants only', async () => {
    const { token, id: own } = await expectStatus(
      201,
      create({ name: 'bound', role: 'owner', tenantIds: ['red', 'blue'] }),
    );
    const outside = [
      await expectStatus(201, create({ name: 'everywhere', role: 'viewer' })),
      await expectStatus(201, create({ name: 'elsewhere', role: 'viewer', tenantIds: ['red', 'green'] })),
    ];
    for (const tenantIds of [undefined, null, ['green'], ['red', 'green']])
      expectProblem(await create({ name: 'more', role: 'viewer', tenantIds }, token), 403, 'role-insufficient');
    const inside = await expectStatus(201, create({ name: 'inside', role: 'owner', tenantIds: ['red'] }, token));
    expect(inside.createdBy).toBe('bound');
    const page = await expectStatus(200, ask<Page>(api.url, 'GET', 'operators', { token }));
    expect(page.operators.map(({ name }) => name)).toEqual(['inside', 'bound']);
    for (const { id } of outside) {
      expectProblem(await change(id, { role: 'owner' }, token), 404, 'operator-not-found');
      expectProblem(await change(id, { name: 'inside' }, token), 404, 'operator-not-found');
      expectProblem(await ask(api.url, 'DELETE', `operators/${id}`, { token }), 404, 'operator-not-found');
    }
    for (const id of [own, inside.id])
      expectProblem(await change(id, { tenantIds: null }, token), 403, 'role-insufficient');
    await expectStatus(200, change(inside.id, { tenantIds: ['blue'] }, token));
    expect((await ask(api.url, 'DELETE', `operators/${inside.id}`, { token })).status).toBe(204);
  });

  it('lets a bound owner take a tenth of the places for operators', async () => {
    const crowded = ['crowded'];
    const { token } = await expectStatus(201, create({ name: 'crowder', role: 'owner', tenantIds: crowded }));
    for (let n = 1; n < 100; n++) await givenOperator(api.pool, { role: 'viewer', tenantIds: crowded });
    const one = (name: string) => ({ name, role: 'viewer', tenantIds: crowded });
    expectProblem(await create(one('101st'), token), 409, 'too-many-credentials');
    await expectStatus(201, create(one('by an owner of all tenants')));
  });

  it('lists in pages, newest first', async () => {
    const first = await expectStatus(200, ask<Page>(api.url, 'GET', 'operators?limit=2'));
    const all = await expectStatus(200, ask<Page>(api.url, 'GET', 'operators?limit=500'));
    const second = await expectStatus(200, ask<Page>(api.url, 'GET', `operators?limit=2&cursor=${first.nextCursor}`));
    expect([...first.operators, ...second.operators]).toEqual(all.operators.slice(0, 4));
  });

  it('needs the role owner for everything', async () => {
    const { token, id } = await expectStatus(201, create({ name: 'not an owner', role: 'operator' }));
    expectProblem(await create({ name: 'x', role: 'viewer' }, token), 403, 'role-insufficient');
    expectProblem(await change(id, { role: 'owner' }, token), 403, 'role-insufficient');
    expectProblem(await ask(api.url, 'DELETE', `operators/${id}`, { token }), 403, 'role-insufficient');
    expectProblem(await ask(api.url, 'GET', 'operators', { token }), 403, 'role-insufficient');
  });
});
