import { DisableDestinations } from '../../../src/deliveries/disable-destinations';
import { DestinationRegistry } from '../../../src/destinations/destination-registry';
import { ProxyHealth } from '../../../src/observability/proxy-health';
import { admin as ask, type AuditPage } from '../../support/admin';
import { testSettings } from '../../support/app';
import { deliveryRows, disable, givenDelivery, givenTenantWithDestination, queueRows } from '../../support/deliveries';
import { expectProblem } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { admin } from '../../support/receivers/destinations';
import { givenEvents } from '../../support/rows';

const UNKNOWN = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';

interface Shown {
  status: string;
  pausedAt: string | null;
  health: Record<string, unknown>;
}

describe('a destination', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let tenantId: string;
  let id: string;
  beforeEach(async () => {
    ({ tenantId, destinationId: id } = await givenTenantWithDestination(api.pool));
  });

  const open = async (more: object = {}): Promise<void> => {
    const [event] = await givenEvents(api.pool, 1, { payload: { n: Math.random() } }, tenantId);
    await givenDelivery(api.pool, { eventId: event?.id ?? '', destinationId: id, tenantId, ...more });
  };
  const shown = async () => (await admin<Shown>(api.url, 'GET', `/${id}`)).body;
  const ofIt = async () => (await deliveryRows(api.pool)).filter(({ destinationId }) => destinationId === id);

  it('can be paused and resumed, more than once, and its deliveries wait', async () => {
    await open();
    const paused = await admin<Shown>(api.url, 'POST', `/${id}/pause`);
    expect([paused.status, paused.body.status]).toEqual([200, 'paused']);
    const again = await admin<Shown>(api.url, 'POST', `/${id}/pause`, {});
    expect(again.body.pausedAt).toBe(paused.body.pausedAt);
    expect((await admin(api.url, 'PATCH', `/${id}`, { description: 'x' })).body).toMatchObject({ status: 'paused' });
    await expect(ofIt()).resolves.toMatchObject([{ status: 'OPEN' }]);
    const resumed = await admin<Shown>(api.url, 'POST', `/${id}/resume`);
    expect([resumed.status, resumed.body.status, resumed.body.pausedAt]).toEqual([200, 'active', null]);
    const { entries } = (await ask<AuditPage>(api.url, 'audit?limit=4')).body;
    expect(entries.map(({ action }) => action)).toEqual([
      ...['destination.resume', 'destination.change', 'destination.pause', 'destination.pause'],
    ]);
    expect(entries[0]).toMatchObject({ filter: { id }, counts: { matched: 1 } });
  });

  it('is paused and resumed without a body, if it exists', async () => {
    expectProblem(await admin(api.url, 'POST', `/${id}/pause`, { a: 1 }), 400, 'invalid-request');
    for (const verb of ['pause', 'resume'])
      expectProblem(await admin(api.url, 'POST', `/${UNKNOWN}/${verb}`), 404, 'destination-not-found');
  });

  it('that is disabled skips its open deliveries, apart from those that a worker is sending', async () => {
    await open();
    await open({ lease: UNKNOWN, dueInSeconds: 60 });
    expect((await admin<Shown>(api.url, 'PATCH', `/${id}`, { enabled: false })).body.status).toBe('disabled');
    const statuses = (await ofIt()).map(({ status, lastReasonCode }) => [status, lastReasonCode]);
    expect(statuses).toEqual([
      ['SKIPPED', 'DESTINATION_DISABLED'],
      ['OPEN', null],
    ]);
  });

  it('that is deleted skips its open deliveries', async () => {
    await open({ attempts: 2, dueInSeconds: 60, lastReasonCode: 'TIMEOUT' });
    expect((await admin(api.url, 'DELETE', `/${id}`)).status).toBe(204);
    await expect(ofIt()).resolves.toMatchObject([{ status: 'SKIPPED', lastReasonCode: 'DESTINATION_DELETED' }]);
    expect((await queueRows(api.pool)).filter(({ destinationId }) => destinationId === id)).toEqual([]);
  });

  const failedFor = async (hours: number): Promise<void> => {
    await api.pool.query(
      `insert into destination_failures (destination_id, failing_since, open_until, open_seconds, last_reason_code)
       values ($1, now() - make_interval(hours => $2), now() + interval '1 hour', 60, 'HTTP_5XX')`,
      [id, hours],
    );
  };
  const failsAgain = () =>
    api.pool.query(
      `insert into destination_failures (destination_id, last_reason_code) values ($1, 'HTTP_5XX')
       on conflict (destination_id) do update set updated_at = now()`,
      [id],
    );
  const disableFailing = () =>
    new DisableDestinations(testSettings(), api.pool, new DestinationRegistry(api.pool), new ProxyHealth()).runOnce();

  it.each([
    ['enabled', 'PATCH', '', { enabled: true }],
    ['changed', 'PATCH', '', { description: 'repaired' }],
    ['given another secret', 'POST', '/rotate-secret', {}],
    ['resumed', 'POST', '/resume', undefined],
  ])('whose failures are old is not disabled again once it is %s', async (what, method, path, body) => {
    await failedFor(130);
    if (what === 'enabled') await disable(api.pool, id, 'no success for 120 hours');
    if (path === '/resume') await admin(api.url, 'POST', `/${id}/pause`);
    expect((await admin(api.url, method, `/${id}${path}`, body)).status).toBe(200);
    expect((await shown()).health).toMatchObject({ failingSince: null, circuit: { state: 'closed' } });
    await failsAgain();
    await disableFailing();
    expect((await shown()).status).toBe('active');
  });

  it('that nobody has changed is disabled by its failures', async () => {
    await failedFor(130);
    await disableFailing();
    expect((await shown()).status).toBe('disabled');
  });

  it('leaves no failures behind when it is deleted', async () => {
    await failedFor(1);
    expect((await admin(api.url, 'DELETE', `/${id}`)).status).toBe(204);
    const left = await api.pool.query('select from destination_failures where destination_id = $1', [id]);
    expect(left.rowCount).toBe(0);
  });

  it('that is paused becomes active when it is enabled', async () => {
    await admin(api.url, 'POST', `/${id}/pause`);
    expect((await admin<Shown>(api.url, 'PATCH', `/${id}`, { enabled: false })).body.status).toBe('disabled');
    const enabled = await admin<Shown>(api.url, 'PATCH', `/${id}`, { enabled: true });
    expect([enabled.body.status, enabled.body.pausedAt]).toEqual(['active', null]);
  });

  it('shows no health that it does not have', async () => {
    expect((await shown()).health).toEqual({
      ...{ successRate: null, p50Ms: null, p95Ms: null, backlog: 0, parked: 0, oldest: null },
      ...{ lastError: null, lastReasonCode: null, failingSince: null, circuit: { state: 'closed', openUntil: null } },
    });
  });

  it('shows its health: the last hour, its backlog, its last error and its circuit', async () => {
    await open();
    await open();
    await api.pool.query(
      `insert into destination_minutes (destination_id, minute, delivered, failed, latency_ms)
       values ($1, now() - interval '5 minutes', 6, 1, '{0,0,0,7,0,0,0,0,0,0,0,0,0}'),
              ($1, now() - interval '2 minutes', 3, 0, '{0,0,0,0,3,0,0,0,0,0,0,0,0}'),
              ($1, now() - interval '2 hours', 0, 90, '{0,0,0,0,0,0,0,0,0,0,0,90,0}')`,
      [id],
    );
    await api.pool.query(
      `insert into destination_failures (destination_id, failing_since, open_until, open_seconds, last_reason_code, last_error)
       values ($1, '2026-01-31T12:00:00Z', '2100-01-01T00:00:00Z', 60, 'HTTP_5XX', 'closed today')`,
      [id],
    );
    const { health } = await shown();
    expect(health).toEqual({
      ...{ successRate: 0.9, p50Ms: 43, p95Ms: 92, backlog: 2, parked: 0 },
      oldest: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      ...{ lastError: 'closed today', lastReasonCode: 'HTTP_5XX', failingSince: '2026-01-31T12:00:00.000Z' },
      circuit: { state: 'open', openUntil: '2100-01-01T00:00:00.000Z' },
    });
    await api.pool.query('update destination_failures set open_until = now() where destination_id = $1', [id]);
    expect((await shown()).health).toMatchObject({ circuit: { state: 'half-open' } });
  });

  it('shows its attempts of the last hour, minute by minute', async () => {
    await api.pool.query(
      `insert into destination_minutes (destination_id, minute, delivered, failed, latency_ms)
       values ($1, date_trunc('minute', now()) - interval '2 minutes', 3, 0, '{0,0,0,0,3,0,0,0,0,0,0,0,0}'),
              ($1, date_trunc('minute', now()) - interval '5 minutes', 0, 4, '{0,0,0,0,0,0,0,0,0,0,0,0,0}'),
              ($1, now() - interval '2 hours', 0, 90, '{0,0,0,0,0,0,0,0,0,0,0,90,0}')`,
      [id],
    );
    const { body } = await admin<{ minutes: object[] }>(api.url, 'GET', `/${id}/history`);
    const at = expect.stringMatching(/^\d{4}-.*:00\.000Z$/) as string;
    expect(body).toEqual({
      minutes: [
        { at, delivered: 0, failed: 4, p50Ms: null, p95Ms: null },
        { at, delivered: 3, failed: 0, p50Ms: 75, p95Ms: 98 },
      ],
    });
    expectProblem(await admin(api.url, 'GET', `/${UNKNOWN}/history`), 404, 'destination-not-found');
  });
});
