import { ask, createdOperator, expectStatus } from '../../support/access/access-admin';
import { admin, type AuditPage } from '../../support/admin';
import { expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';

const HOURS = { timeZone: 'Europe/Berlin', weekdays: ['mon', 'fri'], from: '22:00', to: '06:00' };

describe('/v1/admin/tenants/{tenantId}/expectations', () => {
  const api = useApp({ APP_ROLE: 'api' });
  const of = (tenantId: string, type = '') =>
    `tenants/${tenantId}/expectations${type && `/${encodeURIComponent(type)}`}`;
  const put = (tenantId: string, type: string, body: object, token?: string) =>
    ask<Record<string, unknown>>(api.url, 'PUT', of(tenantId, type), { body, token });
  const list = async (tenantId: string) =>
    (await expectStatus(200, ask<{ expectations: object[] }>(api.url, 'GET', of(tenantId)))).expectations;

  it('sets what is expected of a type, lists it, replaces it and ends it, and records each change', async () => {
    const body = { expectEverySeconds: 600, activeHours: HOURS, learnSilence: true };
    const first = await expectStatus(200, put('acme', 'order/paid', body));
    const learned = { state: 'learning', weeks: 0, weeksNeeded: 4 };
    expect(first).toMatchObject({ tenantId: 'acme', eventType: 'order/paid', ...body, learned });
    await expectStatus(200, put('acme', 'a.b', { learnSilence: false }));
    const replaced = await expectStatus(200, put('acme', 'order/paid', {}));
    expect(replaced).toMatchObject({ expectEverySeconds: null, activeHours: null, learnSilence: false, learned: null });
    await expect(list('acme')).resolves.toEqual([expect.objectContaining({ eventType: 'a.b' }), replaced]);
    for (let i = 0; i < 2; i++) await expectStatus(204, ask(api.url, 'DELETE', of('acme', 'order/paid')));
    await expect(list('acme')).resolves.toHaveLength(1);
    const { entries } = (await admin<AuditPage>(api.url, 'audit?limit=5&tenantId=acme')).body;
    expect(entries.map(({ action }) => action)).toEqual([
      ...['expectation.delete', 'expectation.delete'],
      ...['expectation.put', 'expectation.put', 'expectation.put'],
    ]);
  });

  it.each([
    [{ expectEverySeconds: 59 }, '/expectEverySeconds'],
    [{ activeHours: { timeZone: 'Berlin' } }, '/activeHours'],
    [{ activeHours: { timeZone: 'UTC', until: '18:00' } }, '/activeHours'],
    [{ learnSilence: 1 }, '/learnSilence'],
  ])('refuses %j', async (body, pointer) => {
    const refused = await put('acme', 'refused', body);
    expectProblem(refused, 400, 'invalid-request');
    expect(refused.body).toMatchObject({ errors: [expect.objectContaining({ pointer })] });
  });

  it('refuses the reserved tenant, one of somebody else, and more than a tenant may have', async () => {
    expectProblem(await put('streamforge', 'destination.failing', {}), 403, 'tenant-reserved');
    const { token } = await createdOperator(api.url, { role: 'operator', tenantIds: ['acme'] });
    expectProblem(await put('other', 'sale', {}, token), 404, 'tenant-not-found');
    await api.pool.query(
      `insert into silence_expectations (tenant_id, event_type) select 'full', 't' || i from generate_series(1, 100) i`,
    );
    expectProblem(await put('full', 'one-more', {}), 409, 'too-many-expectations');
    await expectStatus(200, put('full', 't1', { expectEverySeconds: 60 }));
  });
});
