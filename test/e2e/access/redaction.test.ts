import { readFileSync } from 'node:fs';
import type { OutgoingHttpHeaders } from 'node:http';
import { admin, givenDeadLetters, type ReplayStarted } from '../../support/admin';
import { givenKey, givenOperator, heedAccess } from '../../support/credentials';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { call, postEvent, type EventAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';
import { sendWebhook, SIGNED_BODY, WEBHOOK_SECRET } from '../../support/sources/webhooks';

const SECRET = 'ada@example.org';
const TENANT = 'acme';
const ROLES = ['viewer', 'support', 'operator', 'owner'] as const;
const NOT_SHOWN = ['viewer', 'support'];
/** An operator and her reason, which tenants do not see. */
const ACTOR = 'grace hopper';
const NOTE = 'the till sent it twice';

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
    await sendWebhook(url, JSON.stringify({ id: 'w-2', type: 't', customer: { email: SECRET } }), {
      secret: 'another',
    });
    await workOnLetter();
  });

  /** Gives a dead letter a delivery whose receiver quotes the event, a revision and a replay. */
  async function workOnLetter(): Promise<void> {
    const failure = { tenantId: TENANT, message: () => `no account for ${SECRET}` };
    const eventId = String((await givenDeadLetters(api.pool, 1, failure))[0]?.id);
    const destinationId = await givenDestinationRow(api.pool, { tenantId: TENANT });
    await givenDelivery(api.pool, { eventId, destinationId, tenantId: TENANT, attempts: 1 });
    await api.pool.query(
      `insert into delivery_attempts (event_id, destination_id, generation, attempt_number, reason_code, duration_ms,
                                      response_excerpt, worker)
       values ($1, $2, 1, 1, 'HTTP_4XX', 1, $3, 'test')`,
      [eventId, destinationId, `unknown customer ${SECRET}`],
    );
    const headers = { 'x-admin-token': (await givenOperator(api.pool, { name: ACTOR, role: 'operator' })).text };
    heedAccess(api.app);
    const patch = [{ op: 'add', path: '/customer', value: { email: SECRET } }];
    const revised = await admin(api.url, `events/${eventId}/revisions`, { patch, note: NOTE }, headers);
    const of = { tenantId: TENANT, eventIds: [eventId] };
    const replay = await admin<ReplayStarted>(api.url, 'replay', { ...of, mode: 'reprocess', note: NOTE }, headers);
    const unread = (await postEvent(api.url, TENANT, '{"eventType":"t","subject":"s","payload":1}')).body.id;
    const erasure = await admin<{ actionId: string }>(api.url, 'erasures', { tenantId: TENANT, eventIds: [unread] });
    expect([revised.status, replay.status, erasure.status]).toEqual([201, 202, 202]);
    Object.assign(ids, {
      worked: eventId,
      destination: destinationId,
      replay: replay.body.replayId,
      erasure: erasure.body.actionId,
    });
  }

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
    ['GET /v1/admin/deliveries/{id}/{destinationId}', () => `/v1/admin/deliveries/${ids.worked}/${ids.destination}`],
  ])('%s has it for operators, and for nobody below', async (_, path) => {
    for (const role of ROLES) {
      const { status, text } = await read(role, path());
      if (status === 403) continue; // the role may not call this at all
      expect([role, status, text.includes(SECRET)]).toEqual([role, 200, !NOT_SHOWN.includes(role)]);
    }
  });

  /** All that can be read, by its path in the OpenAPI document. */
  const ofTenant = `tenantId=${TENANT}`;
  const READ: Record<string, () => string> = {
    '/v1/events/{id}': () => `/v1/events/${ids.worked}`,
    '/v1/admin/events': () => `/v1/admin/events?${ofTenant}&attempts=true`,
    '/v1/admin/events/{id}/raw': () => `/v1/admin/events/${ids.hook}/raw`,
    '/v1/admin/events/{id}/timeline': () => `/v1/admin/events/${ids.worked}/timeline`,
    '/v1/admin/dlq': () => `/v1/admin/dlq?${ofTenant}`,
    '/v1/admin/dlq/reasons': () => '/v1/admin/dlq/reasons',
    '/v1/admin/deliveries': () => `/v1/admin/deliveries?${ofTenant}`,
    '/v1/admin/deliveries/{id}/{destinationId}': () => `/v1/admin/deliveries/${ids.worked}/${ids.destination}`,
    '/v1/admin/replays': () => '/v1/admin/replays',
    '/v1/admin/replays/{replayId}': () => `/v1/admin/replays/${ids.replay}`,
    '/v1/admin/outbox': () => '/v1/admin/outbox',
    '/v1/admin/health': () => '/v1/admin/health',
    '/v1/admin/conditions': () => '/v1/admin/conditions',
    '/v1/admin/destinations': () => `/v1/admin/destinations?${ofTenant}`,
    '/v1/admin/destinations/{id}': () => `/v1/admin/destinations/${ids.destination}`,
    '/v1/admin/destinations/{id}/history': () => `/v1/admin/destinations/${ids.destination}/history`,
    '/v1/admin/backlog': () => '/v1/admin/backlog',
    '/v1/admin/usage': () => `/v1/admin/usage?${ofTenant}`,
    '/v1/admin/metrics': () => {
      const [from, to] = [Date.now() - 3_600_000, Date.now()].map((ms) => new Date(ms).toISOString());
      return `/v1/admin/metrics?${ofTenant}&measure=rejected&dimension=code&from=${from}&to=${to}`;
    },
    '/v1/admin/audit': () => '/v1/admin/audit',
    '/v1/admin/actions/{actionId}': () => `/v1/admin/actions/${ids.replay}`,
    '/v1/admin/tenants': () => '/v1/admin/tenants',
    '/v1/admin/tenants/{tenantId}': () => `/v1/admin/tenants/${TENANT}`,
    '/v1/admin/tenants/{tenantId}/keys': () => `/v1/admin/tenants/${TENANT}/keys`,
    '/v1/admin/tenants/{tenantId}/expectations': () => `/v1/admin/tenants/${TENANT}/expectations`,
    '/v1/admin/operators': () => '/v1/admin/operators',
    '/v1/admin/sources': () => `/v1/admin/sources?${ofTenant}`,
    '/v1/admin/sources/{id}': () => `/v1/admin/sources/${source.row.id}`,
    '/v1/admin/sources/{id}/requests': () => `/v1/admin/sources/${source.row.id}/requests`,
    '/v1/admin/source-providers': () => '/v1/admin/source-providers',
    '/v1/admin/rejections': () => `/v1/admin/rejections?${ofTenant}`,
    '/v1/admin/rejections/reasons': () => `/v1/admin/rejections/reasons?${ofTenant}`,
    '/v1/admin/rejections/{id}': () => `/v1/admin/rejections/${ids.rejection}`,
    '/v1/admin/erasures': () => '/v1/admin/erasures',
    '/v1/admin/erasures/{erasureId}': () => `/v1/admin/erasures/${ids.erasure}`,
    '/v1/whoami': () => '/v1/whoami',
  };

  /** Its response does not end, and its events are members of lists without payloads and messages (live.test.ts). */
  const WITHOUT_CONTENT = ['/v1/admin/live'];

  it('is looked for in all that can be read', () => {
    const body = JSON.parse(readFileSync('openapi.json', 'utf8')) as { paths: Record<string, object> };
    const readable = Object.entries(body.paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []));
    const withContent = readable.filter((path) => path.startsWith('/v1/') && !WITHOUT_CONTENT.includes(path));
    expect(Object.keys(READ).sort()).toEqual(withContent.sort());
  });

  it.each(Object.entries(READ))('%s has it for nobody below operator', async (_, path) => {
    for (const role of ROLES) {
      const { status, text } = await read(role, path());
      expect([role, [200, 403].includes(status) || text]).toEqual([role, true]);
      if (NOT_SHOWN.includes(role)) expect([role, text.includes(SECRET)]).toEqual([role, false]);
    }
  });

  it('is not in what a dry run of a resubmission shows to support', async () => {
    const sent = { eventType: 't', subject: 's', eventId: 'in-conflict' };
    await postEvent(api.url, TENANT, JSON.stringify({ ...sent, payload: 1 }));
    const refused = await postEvent(
      api.url,
      TENANT,
      JSON.stringify({ ...sent, payload: { customer: { email: SECRET } } }),
    );
    expect(refused.status).toBe(409);
    for (const role of ['support', 'operator']) {
      const body = { tenantId: TENANT, code: 'event-id-conflict', dryRun: true };
      const { status, text } = await admin(api.url, 'rejections/resubmit', body, headersOf[role]);
      expect([role, status, text.includes(SECRET)]).toEqual([role, 202, role === 'operator']);
    }
  });

  it('does not matter to the tenant, who sees everything but who changed its event and why', async () => {
    const { text: key } = await givenKey(api.pool, { tenantId: TENANT });
    heedAccess(api.app);
    const headers = { authorization: `Bearer ${key}` };
    const own = await call(`${api.url}/v1/events/${ids.worked}`, { headers });
    expect(own).toMatchObject({ status: 200, body: { revisions: [{ payload: { customer: { email: SECRET } } }] } });
    const named = await call(`${api.url}/v1/events/${ids.worked}`, { headers: { 'x-tenant-id': TENANT } });
    for (const { status, text } of [own, named]) {
      expect([status, text.includes(ACTOR), text.includes(NOTE)]).toEqual([200, false, false]);
    }
    for (const role of ROLES) {
      const { text } = await read(role, `/v1/events/${ids.worked}`);
      expect([role, text.includes(ACTOR), text.includes(NOTE)]).toEqual([role, true, true]);
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
