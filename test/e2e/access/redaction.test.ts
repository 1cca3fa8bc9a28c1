import type { OutgoingHttpHeaders } from 'node:http';
import { admin, givenDeadLetters } from '../../support/admin';
import { givenKey, givenOperator } from '../../support/credentials';
import { call, postEvent, type EventAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

const SECRET = 'ada@example.org';
const TENANT = 'acme';
const ROLES = ['viewer', 'support', 'operator', 'owner'] as const;
const NOT_SHOWN = ['viewer', 'support'];

describe('what a tenant redacts', () => {
  const api = useApp({ APP_ROLE: 'api', TENANT_AUTH: 'both' });
  const headersOf: Record<string, OutgoingHttpHeaders> = {};
  let source: GivenSource;
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    for (const role of ROLES) headersOf[role] = { 'x-admin-token': (await givenOperator(api.pool, { role })).text };
    const tenant = { id: TENANT, name: 'Acme', redact: ['/customer/email'] };
    const created = await admin<{ redact: string[] }>(api.url, 'tenants', tenant);
    expect([created.status, created.body.redact]).toEqual([201, ['/customer/email']]);
    source = await givenSource(api.app, api.pool, {
      ...{ tenantId: TENANT, name: 'till', verification: SIGNED_BODY, secrets: [WEBHOOK_SECRET] },
      mapping: { eventType: '/type', subject: '/id', eventId: '/id' },
    });
    const payload = { customer: { email: SECRET, name: 'Ada' }, amount: 1 };
    const body = JSON.stringify({ eventType: 'order.paid', subject: 's-1', payload });
    ids.event = (await postEvent(api.url, TENANT, body)).body.id;
    const url = api.url + source.path;
    ids.hook = (await sendWebhook(url, JSON.stringify({ id: 'w-1', type: 't', customer: { email: SECRET } }))).body.id;
    ids.rejection = (await sendWebhook(url, JSON.stringify({ customer: { email: SECRET } }))).body.rejectionId;
    const [letter] = await givenDeadLetters(api.pool, 1, {
      tenantId: TENANT,
      message: () => `no account for ${SECRET}`,
    });
    ids.letter = String(letter?.id);
    await givenDeadLetters(api.pool, 1, { tenantId: 'other', message: () => 'it broke' });
  });

  const read = <T>(role: string, path: string) => call<T>(api.url + path, { headers: headersOf[role] ?? {} });

  it.each(ROLES)('is shown in an event to %s as the role allows', async (role) => {
    const { text, body } = await read<EventAnswer>(role, `/v1/events/${ids.event}`);
    expect([role, text.includes(SECRET)]).toEqual([role, !NOT_SHOWN.includes(role)]);
    if (role === 'support') {
      expect(body.payload).toEqual({ customer: { email: '[redacted]', name: 'Ada' }, amount: 1 });
    }
  });

  it('is shown to the tenant itself', async () => {
    const { text } = await givenKey(api.pool, { tenantId: TENANT });
    const headers = { authorization: `Bearer ${text}` };
    const answer = await eventually(async () => {
      const found = await call(`${api.url}/v1/events/${ids.event}`, { headers });
      expect(found.status).toBe(200);
      return found;
    });
    expect(answer.text).toContain(SECRET);
  });

  it.each([
    ['GET /v1/admin/dlq', () => `/v1/admin/dlq?tenantId=${TENANT}`],
    ['GET /v1/admin/dlq/reasons', () => `/v1/admin/dlq/reasons?tenantId=${TENANT}`],
    ['GET /v1/admin/events', () => `/v1/admin/events?tenantId=${TENANT}&attempts=true`],
    ['GET /v1/admin/events/{id}/raw', () => `/v1/admin/events/${ids.hook}/raw`],
    ['GET /v1/admin/events/{id}/timeline', () => `/v1/admin/events/${ids.letter}/timeline`],
    ['GET /v1/admin/rejections/{id}', () => `/v1/admin/rejections/${ids.rejection}`],
    ['GET /v1/admin/sources/{id}/requests', () => `/v1/admin/sources/${source.row.id}/requests`],
  ])('%s has it for operators, and for nobody below', async (_, path) => {
    for (const role of ROLES) {
      const { status, text } = await read(role, path());
      if (status === 403) continue; // the role may not call this at all
      expect([role, status, text.includes(SECRET)]).toEqual([role, 200, !NOT_SHOWN.includes(role)]);
    }
  });

  it('does not change what is shown of other tenants', async () => {
    const { body } = await read<{ deadLetters: { errorMessage: string }[] }>('support', '/v1/admin/dlq?tenantId=other');
    expect(body.deadLetters).toMatchObject([{ errorMessage: 'it broke' }]);
  });

  it('is shown once the tenant no longer redacts it', async () => {
    const changed = await call<{ redact: string[] }>(`${api.url}/v1/admin/tenants/${TENANT}`, {
      method: 'PATCH',
      headers: { ...headersOf.owner, 'content-type': 'application/json' },
      body: JSON.stringify({ redact: null }),
    });
    expect(changed.body.redact).toEqual([]);
    const { text } = await read('support', `/v1/events/${ids.event}`);
    expect(text).toContain(SECRET);
  });

  it.each([['customer'], ['/a~2'], [7]])('is named by JSON Pointers: %j is refused', async (pointer) => {
    const { status } = await admin(api.url, 'tenants', { id: 'wrong', name: 'x', redact: [pointer] });
    expect(status).toBe(400);
  });
});
