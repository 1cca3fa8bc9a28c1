import { admin, type AuditPage } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { ask, createdOperator, expectStatus, type TenantBody } from '../../support/access/access-admin';
import { call, expectProblem, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { useApp } from '../../support/fixtures/app';

interface Page {
  tenants: TenantBody[];
  nextCursor: string | null;
}

describe('/v1/admin/tenants', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const create = (body: object, token?: string) => ask<TenantBody>(api.url, 'POST', 'tenants', { body, token });
  const change = (id: string, body: object, token?: string) =>
    ask<TenantBody>(api.url, 'PATCH', `tenants/${id}`, { body, token });

  it('registers a tenant with the defaults of the installation, shows it and changes it', async () => {
    const created = await expectStatus(201, create({ id: 'crud', name: 'Crud Ltd' }));
    expect(created).toMatchObject({
      id: 'crud',
      name: 'Crud Ltd',
      status: 'active',
      eventsPerMinute: null,
      bytesPerMinute: null,
      weight: 1,
      metadata: {},
    });
    expect((await ask(api.url, 'GET', 'tenants/crud')).body).toEqual(created);
    const limits = {
      eventsPerMinute: 0,
      bytesPerMinute: 5_000_000_000,
      weight: 3,
      metadata: { plan: 'pro', '': [null, 1.5] },
    };
    const changed = await expectStatus(200, change('crud', limits));
    expect(changed).toEqual({ ...created, ...limits, updatedAt: expect.any(String) as string });
    const renamed = await expectStatus(200, change('crud', { name: 'Other' }));
    expect(renamed).toMatchObject({ ...limits, name: 'Other' });
    const reset = await expectStatus(
      200,
      change('crud', { eventsPerMinute: null, bytesPerMinute: null, metadata: null }),
    );
    expect(reset).toMatchObject({ eventsPerMinute: null, bytesPerMinute: null, metadata: {}, name: 'Other' });
  });

  it('refuses an id that exists, the reserved one, and an unknown one', async () => {
    await expectStatus(201, create({ id: 'twice', name: 'Twice' }));
    expectProblem(await create({ id: 'twice', name: 'Again' }), 409, 'already-exists');
    expectProblem(await create({ id: 'streamforge', name: 'Us' }), 403, 'tenant-reserved');
    expectProblem(await change('streamforge', { name: 'Us' }), 403, 'tenant-reserved');
    expectProblem(await change('unknown', { name: 'Us' }), 404, 'tenant-not-found');
    expectProblem(await ask(api.url, 'GET', 'tenants/unknown'), 404, 'tenant-not-found');
  });

  it.each([
    ['id', { id: 'no spaces' }],
    ['name', { name: '' }],
    ['status', { status: 'gone' }],
    ['eventsPerMinute', { eventsPerMinute: -1 }],
    ['bytesPerMinute', { bytesPerMinute: 2 ** 53 }],
    ['weight', { weight: 0 }],
    ['weight', { weight: 101 }],
    ['metadata', { metadata: [] }],
    ['metadata', { metadata: { text: 'x'.repeat(4_086) } }],
    ['metadata', { metadata: { '\0': 1 } }],
    ['metadata', { metadata: { text: ['\ud800'] } }],
    ['metadata/constructor', { metadata: { constructor: 1 } }],
  ])('refuses an invalid %s: %j', async (pointer, wrong) => {
    const refused = await create({ id: 'wrong', name: 'Wrong', ...wrong });
    const problem = expectProblem(refused, 400, 'invalid-request');
    expect(problem.errors?.map((error) => error.pointer)).toEqual([`/${pointer}`]);
  });

  it('refuses metadata of more than 64 levels', async () => {
    const deep = `{"id":"deep","name":"Deep","metadata":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`;
    const headers = { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' };
    const refused = await call(`${api.url}/v1/admin/tenants`, { method: 'POST', headers, body: deep });
    expectProblem(refused, 400, 'invalid-request');
  });

  it('lists tenants by id, in pages, and by status', async () => {
    for (const id of ['list-c', 'list-a', 'list-b']) await create({ id, name: id, status: 'suspended' });
    const list = (query: string) => expectStatus(200, ask<Page>(api.url, 'GET', `tenants?status=suspended${query}`));
    const first = await list('&limit=2');
    expect(first.tenants.map(({ id }) => id)).toEqual(['list-a', 'list-b']);
    const second = await list(`&limit=2&cursor=${first.nextCursor}`);
    expect([second.tenants.map(({ id }) => id), second.nextCursor]).toEqual([['list-c'], null]);
    expect((await list('')).tenants).toHaveLength(3);
    expectProblem(await ask(api.url, 'GET', 'tenants?cursor=abc'), 400, 'invalid-request');
  });

  it('shows and lets a bound owner change its own tenants only, and lets it register none', async () => {
    for (const id of ['mine', 'theirs']) await create({ id, name: id });
    const { token } = await createdOperator(api.url, { role: 'owner', tenantIds: ['mine', 'unregistered'] });
    const page = await expectStatus(200, ask<Page>(api.url, 'GET', 'tenants', { token }));
    expect(page.tenants.map(({ id }) => id)).toEqual(['mine']);
    await expectStatus(200, change('mine', { eventsPerMinute: 5 }, token));
    expectProblem(await change('theirs', { eventsPerMinute: 5 }, token), 404, 'tenant-not-found');
    expectProblem(await ask(api.url, 'GET', 'tenants/theirs', { token }), 404, 'tenant-not-found');
    for (const id of ['unregistered', 'new'])
      expectProblem(await create({ id, name: id }, token), 403, 'role-insufficient');
  });

  it('needs the role owner to change and viewer to read', async () => {
    await create({ id: 'roles', name: 'roles' });
    const { token } = await createdOperator(api.url, { role: 'operator' });
    await expectStatus(200, ask(api.url, 'GET', 'tenants/roles', { token }));
    expectProblem(await create({ id: 'x', name: 'x' }, token), 403, 'role-insufficient');
    expectProblem(await change('roles', { name: 'x' }, token), 403, 'role-insufficient');
  });

  it('refuses events of a suspended tenant as soon as the change is answered, and takes them again when it is active', async () => {
    const send = () => postEvent(api.url, 'stopped', JSON.stringify(eventBody()));
    await create({ id: 'stopped', name: 'Stopped' });
    expect((await send()).status).toBe(202);
    await expectStatus(200, change('stopped', { status: 'suspended' }));
    expectProblem(await send(), 403, 'tenant-suspended');
    await expectStatus(200, change('stopped', { status: 'active' }));
    expect((await send()).status).toBe(202);
  });

  it('records each change', async () => {
    await create({ id: 'audited', name: 'Audited' });
    await change('audited', { status: 'suspended' });
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=2')).body;
    expect(entries.map(({ actor, action, filter }) => ({ actor, action, filter }))).toEqual([
      { actor: 'admin', action: 'tenant.change', filter: { id: 'audited', status: 'suspended' } },
      { actor: 'admin', action: 'tenant.create', filter: expect.objectContaining({ id: 'audited' }) as object },
    ]);
  });
});
