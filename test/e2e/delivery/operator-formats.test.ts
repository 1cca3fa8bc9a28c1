import { Logger } from '@nestjs/common';
import { OperatorEvents } from '../../../src/operator-events/operator-events';
import { LocalWakeUp } from '../../../src/redis/wake-up';
import { testSettings } from '../../support/app';
import { givenDestinationRow } from '../../support/deliveries';
import { call, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useGateway } from '../../support/fixtures/gateway';
import { admin, givenDestination } from '../../support/receivers/destinations';
import { isSignedBy, type Received } from '../../support/receivers/receiver';
import { ADMIN_TOKEN } from '../../support/app';

const ROUTING_KEY = 'r0ut1ng-key-of-an-integration-01';
const AUTH = { type: 'header', name: 'X-Routing-Key', value: ROUTING_KEY };

describe('operator events', () => {
  const gateway = useGateway({ TENANT_AUTH: 'header' });
  beforeAll(() => {
    Logger.overrideLogger(false);
  });

  const look = () =>
    new OperatorEvents(
      testSettings({ PUBLIC_URL: 'https://events.example.com' }),
      gateway.pool,
      new LocalWakeUp(),
    ).runOnce();
  const at = (path: string): Received[] => gateway.receiver.received.filter((one) => one.path === path);
  const register = (format: string, path: string, more: object = {}) =>
    givenDestination(gateway.url, { tenantId: 'streamforge', url: gateway.receiver.url + path, format, ...more });
  const hasGot = (count: number) =>
    eventually(() => {
      for (const path of ['/slack', '/teams', '/pagerduty', '/webhook']) expect(at(path)).toHaveLength(count);
      return Promise.resolve();
    });

  it('reach Slack, Teams, PagerDuty and a webhook, once when raised and once when cleared', async () => {
    await register('slack', '/slack');
    await register('teams', '/teams');
    await register('pagerduty', '/pagerduty', { auth: AUTH });
    const { secret } = await register('event', '/webhook', { eventTypes: ['destination.*'] });
    const id = await givenDestinationRow(gateway.pool, { tenantId: 'acme' });
    await gateway.pool.query(
      `insert into destination_failures (destination_id, failing_since, last_reason_code)
       values ($1, now() - interval '10 minutes', 'TIMEOUT')`,
      [id],
    );
    await Promise.all([look(), look(), look()]);
    await hasGot(1);
    await gateway.pool.query('delete from destination_failures where destination_id = $1', [id]);
    await look();
    await gateway.pool.query(`update operator_conditions set clearing_since = now() - interval '2 minutes'`);
    await Promise.all([look(), look(), look()]);
    await hasGot(2);

    const link = `https://events.example.com/console/destinations/${id}`;
    const [raised, cleared] = at('/slack').map(({ body }) => (JSON.parse(body) as { text: string }).text);
    expect(raised).toContain(
      `🔴 Destination ${id} of tenant acme has had no success for 10 minutes, last with TIMEOUT.`,
    );
    expect(raised).toContain(`<${link}|Open the console>`);
    expect(cleared).toContain(`🟢 Destination ${id} of tenant acme does not fail any more.`);
    expect(at('/pagerduty').map(({ body }) => JSON.parse(body) as object)).toMatchObject([
      { routing_key: ROUTING_KEY, event_action: 'trigger', client_url: link },
      { routing_key: ROUTING_KEY, event_action: 'resolve', client_url: link },
    ]);
    const keys = at('/pagerduty').map(({ body }) => (JSON.parse(body) as { dedup_key: string }).dedup_key);
    expect(new Set(keys).size).toBe(1);
    expect(at('/teams').every(({ body }) => body.includes('application/vnd.microsoft.card.adaptive'))).toBe(true);
    const webhooks = at('/webhook');
    expect(webhooks.every((one) => isSignedBy(secret, one))).toBe(true);
    expect(webhooks.map(({ body }) => JSON.parse(body) as object)).toMatchObject([
      { tenantId: 'streamforge', type: 'destination.failing', payload: { state: 'raised' } },
      { tenantId: 'streamforge', type: 'destination.recovered', payload: { state: 'cleared' } },
    ]);
  });

  it('can be tried out, without showing the routing key', async () => {
    const { id } = await register('pagerduty', '/tried', { auth: AUTH });
    const { status, text } = await admin(gateway.url, 'POST', `/${id}/test`, {});
    expect(status).toBe(200);
    expect(text).toContain('event_action');
    expect(text).not.toContain(ROUTING_KEY);
    expect(JSON.parse(at('/tried')[0]?.body ?? '')).toMatchObject({
      routing_key: ROUTING_KEY,
      event_action: 'trigger',
      payload: { summary: 'This is a test delivery from StreamForge.' },
    });
  });

  it.each([
    ['acme', { format: 'slack' }, '/format', 'it is for the tenant streamforge only'],
    ['streamforge', { format: 'pagerduty' }, '/auth', 'X-Routing-Key'],
    ['streamforge', { format: 'pagerduty', auth: { type: 'bearer', token: 'x' } }, '/auth', 'X-Routing-Key'],
    ['streamforge', { format: 'slack', headers: { 'content-type': 'text/plain' } }, '/headers/content-type', 'slack'],
  ])('refuses for the tenant %s: %j', async (tenantId, options, pointer, message) => {
    const { status, body } = await admin<{ errors: { pointer: string; message: string }[] }>(gateway.url, 'POST', '', {
      tenantId,
      url: gateway.receiver.url,
      ...options,
    });
    expect(status).toBe(400);
    expect(body.errors).toMatchObject([{ pointer, message: expect.stringContaining(message) as string }]);
  });

  it('come from nobody else', async () => {
    const event = JSON.stringify({ eventType: 'destination.failing', subject: 'd', payload: {} });
    expect(await postEvent(gateway.url, 'streamforge', event)).toMatchObject({
      status: 403,
      body: { code: 'tenant-reserved' },
    });
  });

  it('tell that a tenant has reached its limit', async () => {
    const registered = await call(`${gateway.url}/v1/admin/tenants`, {
      method: 'POST',
      headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
      body: JSON.stringify({ id: 'small', name: 'Small', eventsPerMinute: 1 }),
    });
    expect(registered.status).toBe(201);
    await eventually(async () => {
      const event = JSON.stringify({ eventType: 'a', subject: 'b', payload: Math.random() });
      expect((await postEvent(gateway.url, 'small', event)).status).toBe(429);
    });
    await eventually(async () => {
      await look();
      const { rows } = await gateway.pool.query(
        `select from events where type = 'quota.reached' and subject = 'small/events'`,
      );
      expect(rows).toHaveLength(1);
    });
  });
});
