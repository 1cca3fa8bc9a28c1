import type { OutgoingHttpHeaders } from 'node:http';
import { ADMIN_TOKEN } from '../../support/app';
import { admin, type AuditPage } from '../../support/admin';
import { call, expectProblem, postEvent, type AcceptedAnswer } from '../../support/e2e-http';
import { TestCluster } from '../../support/processes/e2e-cluster';
import type { TestProcess } from '../../support/processes/process';
import { migrateBy, PREVIOUS_RELEASE, THIS_RELEASE } from '../../support/processes/releases';

const TENANT = 'acme';
const event = (eventId: string) => JSON.stringify({ eventType: 't', subject: 's', eventId, payload: 1 });
const BY_HEADER = { 'x-tenant-id': TENANT };

/** The tests follow each other: they are the steps of one change-over. */
describe('an installation whose tenants only named themselves', () => {
  let cluster: TestCluster;
  let previous: TestProcess;
  let byHeader: TestProcess;
  let byBoth: TestProcess;
  let byKey: TestProcess;
  let key: string;
  beforeAll(async () => {
    cluster = await TestCluster.create({ migrated: false });
    migrateBy(PREVIOUS_RELEASE, cluster.database.url);
    previous = await cluster.start('api', {}, PREVIOUS_RELEASE);
  });
  afterAll(() => cluster.drop());

  const send = (api: TestProcess, body: string, headers: OutgoingHttpHeaders) =>
    call<AcceptedAnswer>(`${api.url}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
  const statusOf = async (api: TestProcess, body: string, headers: OutgoingHttpHeaders) =>
    (await send(api, body, headers)).status;
  const retryWith = async (api: TestProcess, note: string) =>
    (await admin(api.url, 'dlq/retry', { tenantId: TENANT, note })).status;

  it('goes on after the migration, while the previous release still runs', async () => {
    expect((await postEvent(previous.url, TENANT, event('before'))).status).toBe(202);
    expect(await retryWith(previous, 'before')).toBe(202);

    migrateBy(THIS_RELEASE, cluster.database.url);
    expect(await statusOf(previous, event('before'), BY_HEADER)).toBe(200);
    expect(await statusOf(previous, event('migrated'), BY_HEADER)).toBe(202);
    expect(await retryWith(previous, 'migrated')).toBe(202);
  }, 120_000);

  it('goes on with TENANT_AUTH=header while old and new processes run side by side', async () => {
    byHeader = await cluster.start('api', { TENANT_AUTH: 'header' }, THIS_RELEASE);
    expect(await statusOf(byHeader, event('before'), BY_HEADER)).toBe(200);
    expect(await statusOf(byHeader, event('new'), BY_HEADER)).toBe(202);
    expect(await statusOf(previous, event('new'), BY_HEADER)).toBe(200);
    expect(await retryWith(byHeader, 'new')).toBe(202);
    const proxy = { ...BY_HEADER, authorization: 'Basic cHJveHk6c2VjcmV0' };
    expect(await statusOf(byHeader, event('behind a proxy'), proxy)).toBe(202);
    for (const api of [previous, byHeader]) {
      const { entries } = (await admin<AuditPage>(api.url, 'audit')).body;
      expect(entries.map(({ actor, note }) => [actor, note])).toEqual([
        ['admin', 'new'],
        ['admin', 'migrated'],
        ['admin', 'before'],
      ]);
    }
  }, 120_000);

  it('gives out keys, which old processes take beside X-Tenant-Id', async () => {
    const created = await admin<{ key: string }>(byHeader.url, `tenants/${TENANT}/keys`, {
      name: 'till 17',
      scopes: ['ingest', 'read'],
    });
    expect(created.status).toBe(201);
    key = created.body.key;
    const both = { ...BY_HEADER, authorization: `Bearer ${key}` };
    for (const api of [previous, byHeader]) expect(await statusOf(api, event('new'), both)).toBe(200);
  });

  it('takes keys and names with TENANT_AUTH=both, for the same tenant and the same events', async () => {
    byBoth = await cluster.start('api', { TENANT_AUTH: 'both' }, THIS_RELEASE);
    const byItsKey = await send(byBoth, event('by key'), { 'x-api-key': key });
    expect([byItsKey.status, byItsKey.body.tenantId]).toEqual([202, TENANT]);
    expect(await statusOf(byBoth, event('by key'), BY_HEADER)).toBe(200);
    expect(await statusOf(byBoth, event('before'), { 'x-api-key': key })).toBe(200);
  }, 120_000);

  it('requires keys with TENANT_AUTH=key', async () => {
    const registered = await admin(byBoth.url, 'tenants', { id: TENANT, name: 'Acme' });
    expect(registered.status).toBe(201);
    byKey = await cluster.start('api', { TENANT_AUTH: 'key' }, THIS_RELEASE);
    expect(await statusOf(byKey, event('only by key'), { 'x-api-key': key })).toBe(202);
    expectProblem(await send(byKey, event('before'), BY_HEADER), 401, 'api-key-missing');
    const read = await call(`${byKey.url}/v1/events/before`, { headers: { 'x-api-key': key } });
    expect(read.status).toBe(200);
  }, 120_000);

  it('can go back to the previous release, if its producers name their tenant again', async () => {
    const again = await cluster.start('api', {}, PREVIOUS_RELEASE);
    expect(await statusOf(again, event('only by key'), { ...BY_HEADER, 'x-api-key': key })).toBe(200);
    expect(await statusOf(again, event('after'), BY_HEADER)).toBe(202);
    expect(await retryWith(again, 'after')).toBe(202);
    const { entries } = (await admin<AuditPage>(again.url, 'audit')).body;
    expect(entries[0]).toMatchObject({ actor: 'admin', note: 'after' });
    const headers = { 'x-admin-token': ADMIN_TOKEN };
    const list = await call<{ events: unknown[] }>(`${again.url}/v1/admin/events?tenantId=${TENANT}`, { headers });
    expect(list.body.events.length).toBe(7);
  }, 120_000);
});
