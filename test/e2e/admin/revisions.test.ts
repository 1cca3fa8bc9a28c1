import { createPool } from '../../../src/db/pool';
import type { Event } from '../../../src/event/event';
import { admin, givenCompleted, givenDeadLetters, type AuditPage } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { createTestDatabase } from '../../support/database';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { call, getEvent, postEvent, type Answer, type EventAnswer, type ProblemAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { answer, TestReceiver } from '../../support/receivers/receiver';
import { givenDestination } from '../../support/receivers/destinations';
import { countRows } from '../../support/rows';

interface Revised {
  revision: number;
  hash: string;
  note: string | null;
  actor: string;
  createdAt: string | null;
  retried: boolean;
  dryRun: boolean;
  actionId: string | null;
  diff: object[];
  event: { id: string; payload: unknown; revision: number; hash: string };
}

/** Sends the text of a body, because parsing it would round its numbers. */
const reviseText = <T = Revised>(url: string, id: string, body: string, headers: object = {}): Promise<Answer<T>> =>
  call<T>(`${url}/v1/admin/events/${id}/revisions`, {
    method: 'POST',
    headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json', ...headers },
    body,
  });

describe('revisions', () => {
  const api = useApp({ APP_ROLE: 'api' });
  let tenants = 0;
  const newTenant = (): string => `tenant-${(tenants += 1)}`;
  const revise = <T = Revised>(event: Event, body: object, headers: object = {}) =>
    reviseText<T>(api.url, event.id, JSON.stringify(body), headers);
  const givenDead = async (tenantId = newTenant()): Promise<Event> =>
    (await givenDeadLetters(api.pool, 1, { tenantId }))[0] as Event;
  const read = async ({ tenantId, id }: Event) => (await getEvent(api.url, tenantId, id)).body;

  it('of a dead letter are shown beside the event as it was sent, with what changed, who and why', async () => {
    const event = await givenDead();
    const payload = '{ "amount": 10.10, "id": 12345678901234567890, "__proto__": 1 }';
    const first = await reviseText(api.url, event.id, `{"payload":${payload},"note":"cents"}`);
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ revision: 2, note: 'cents', retried: false, dryRun: false });
    expect(first.text).toContain(`"payload":${payload},"revision":2}`);
    const patch = [{ op: 'replace', path: '/amount', value: 11 }];
    const second = await revise(event, { patch });
    expect(second.body).toMatchObject({ revision: 3, diff: patch, event: { revision: 3 } });

    const { text, body } = await call<EventAnswer>(`${api.url}/v1/events/${event.id}`, {
      headers: { 'x-admin-token': ADMIN_TOKEN },
    });
    expect(body).toMatchObject({ status: 'DLQ', hash: event.hash, payload: { amount: 10 } });
    expect(body.revisions).toEqual([
      expect.objectContaining({
        revision: 2,
        hash: first.body.hash,
        note: 'cents',
        diff: expect.any(Array) as object[],
      }),
      expect.objectContaining({ revision: 3, hash: second.body.hash, note: null, diff: patch, diffTruncated: false }),
    ]);
    expect(text).toContain(`"payload":${payload},"diff":`);
    expect(text).toContain('"payload":{ "amount": 11, "id": 12345678901234567890, "__proto__": 1 }');
    expect(new Set([event.hash, first.body.hash, second.body.hash]).size).toBe(3);
    const { entries } = (await admin<AuditPage>(api.url, 'audit')).body;
    expect(entries[0]).toMatchObject({ action: 'event.revise', counts: { revision: 3, retried: 0 } });
    expect(JSON.stringify(entries)).not.toContain('12345678901234567890');
  });

  it('leave the idempotency keys and the content of the event as they were', async () => {
    const event = await givenDead();
    await revise(event, { payload: { amount: 99 } });
    await expect(countRows(api.pool, `events where id = '${event.id}' and payload->>'amount' = '10'`)).resolves.toBe(1);
    const { rows } = await api.pool.query(`select encode(hash, 'hex') as hash from events where id = $1`, [event.id]);
    expect(rows).toEqual([{ hash: event.hash }]);
  });

  it('are not shown to whom payloads are not shown', async () => {
    const event = await givenDead();
    await revise(event, { payload: { secret: 'hidden' }, note: 'why' });
    const viewer = await admin<{ token: string }>(api.url, 'operators', { name: 'eve', role: 'viewer' });
    const seen = await call(`${api.url}/v1/events/${event.id}`, {
      headers: { authorization: `Bearer ${viewer.body.token}`, 'x-tenant-id': event.tenantId },
    });
    expect(seen.body).toMatchObject({ payloadHidden: true, revisions: [{ revision: 2, note: 'why' }] });
    expect(seen.text).not.toContain('hidden');
    const tried = await revise(event, { payload: 1 }, { 'x-admin-token': viewer.body.token });
    expect(tried).toMatchObject({ status: 403, body: { code: 'role-insufficient' } });
  });

  it('are shown by a dry run as they would be, and change nothing', async () => {
    const event = await givenDead();
    const patch = [{ op: 'add', path: '/currency', value: 'EUR' }];
    const preview = await revise(event, { patch, dryRun: true, retry: true, note: 'try' });
    expect(preview).toMatchObject({
      status: 200,
      body: { revision: 2, createdAt: null, actionId: null, dryRun: true, retried: false, diff: patch },
    });
    expect(preview.body.event).toMatchObject({ id: event.id, payload: { amount: 10, currency: 'EUR' }, revision: 2 });
    expect(await read(event)).toMatchObject({ status: 'DLQ', revisions: [] });
    const made = await revise(event, { patch });
    expect(made.body).toMatchObject({ hash: preview.body.hash, event: { hash: preview.body.hash } });
  });

  it('are retried with their dead letter, once for one idempotency key', async () => {
    const event = await givenDead();
    const request = { payload: { amount: 1 }, retry: true, note: 'x' };
    const key = { 'idempotency-key': `key-${event.id}` };
    const made = await Promise.all([1, 2, 3].map(() => revise(event, request, key)));
    expect(new Set(made.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(made.map(({ body }) => body.actionId)).size).toBe(1);
    for (const { body } of made) expect(body).toMatchObject({ revision: 2, retried: true });
    expect(made.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(2);
    expect((await read(event)).status).toBe('RECEIVED');
    const other = await revise<ProblemAnswer>(event, { ...request, payload: { amount: 2 } }, key);
    expect(other.body.code).toBe('idempotency-key-reused');
  });

  it('are made one after another by many operators at once', async () => {
    const event = await givenDead();
    const made = await Promise.all([1, 2, 3, 4, 5].map((amount) => revise(event, { payload: { amount } })));
    expect(made.map(({ body }) => body.revision).sort()).toEqual([2, 3, 4, 5, 6]);
    const { revisions } = (await read(event)) as unknown as { revisions: Revised[] };
    expect(revisions.map(({ revision }) => revision)).toEqual([2, 3, 4, 5, 6]);
  });

  it('of failed deliveries are due with retry, unless one is being sent', async () => {
    const tenantId = newTenant();
    const [event] = (await givenCompleted(api.pool, 1, tenantId)) as [Event];
    const [failed, open] = [await givenDestinationRow(api.pool, { tenantId }), await givenDestinationRow(api.pool)];
    await givenDelivery(api.pool, { eventId: event.id, destinationId: failed, tenantId, status: 'FAILED' });
    await givenDelivery(api.pool, { eventId: event.id, destinationId: open, tenantId, attempts: 1, dueInSeconds: 60 });
    await api.pool.query(`update delivery_queue set lease = gen_random_uuid() where destination_id = $1`, [open]);
    expect(await revise(event, { payload: 1 })).toMatchObject({ status: 409, body: { code: 'event-in-process' } });
    expect(await read(event)).toMatchObject({ revisions: [] });
    await expect(countRows(api.pool, `event_state where event_id = '${event.id}'`)).resolves.toBe(0);

    await api.pool.query(`update delivery_queue set lease = null where destination_id = $1`, [open]);
    expect((await revise(event, { payload: 1, retry: true })).body).toMatchObject({ retried: true });
    await expect(countRows(api.pool, `deliveries where status = 'OPEN' and revision = 2`)).resolves.toBe(2);
    expect(await revise(event, { payload: 2 })).toMatchObject({ status: 409, body: { code: 'event-not-failed' } });
  });

  it.each([
    ['that succeeded', 'event-not-failed', (tenantId: string) => givenCompleted(api.pool, 1, tenantId)],
    [
      'that was discarded',
      'event-not-failed',
      async (tenantId: string) => {
        const events = await givenDeadLetters(api.pool, 1, { tenantId });
        await admin(api.url, 'dlq/discard', { tenantId });
        return events;
      },
    ],
    [
      'that is being processed',
      'event-in-process',
      async (tenantId: string) => {
        const events = await givenDeadLetters(api.pool, 1, { tenantId });
        await admin(api.url, 'dlq/retry', { tenantId });
        return events;
      },
    ],
  ] as const)('are refused for an event %s', async (_which, code, given) => {
    const [event] = (await given(newTenant())) as [Event];
    for (const dryRun of [true, false])
      expect(await revise(event, { payload: 1, dryRun })).toMatchObject({ status: 409, body: { code } });
    expect(await read(event)).toMatchObject({ revisions: [] });
  });

  it('are refused while a worker of the build before runs', async () => {
    const event = await givenDead();
    await api.pool.query('insert into delivery_workers (id) values (gen_random_uuid())'); // as it announces itself
    try {
      const refused = await revise(event, { payload: 1 });
      expect(refused).toMatchObject({ status: 503, body: { code: 'upgrade-unfinished', retryable: true } });
      expect(refused.headers['retry-after']).toBe('30');
    } finally {
      await api.pool.query('delete from delivery_workers');
    }
    expect((await revise(event, { payload: 1 })).status).toBe(201);
  });

  it.each([
    ['streamforge api', 503],
    ['streamforge publisher', 503],
    ['streamforge api,publisher,worker', 503],
    ['streamforge worker +revisions', 201],
    ['streamforge doctor', 201],
    ['another program', 201],
  ])('beside an idle session of %s are %i', async (name, status) => {
    const event = await givenDead();
    const pool = createPool(api.databaseUrl, name);
    const session = await pool.connect();
    try {
      await session.query('select 1');
      expect((await revise(event, { payload: 1 })).status).toBe(status);
    } finally {
      session.release();
      await pool.end();
    }
    await eventually(async () => expect((await revise(event, { payload: 2 })).status).toBe(201));
  });

  it('are not refused for a process that works on another database', async () => {
    const other = await createTestDatabase();
    const pool = createPool(other.url, 'streamforge worker');
    try {
      await pool.query('select 1');
      expect((await revise(await givenDead(), { payload: 1 })).status).toBe(201);
    } finally {
      await pool.end();
      await other.drop();
    }
  });

  it.each([
    ['a payload that is too large', `{"payload":"${'x'.repeat(262_144)}"}`, 413, 'event-too-large'],
    ['a character that cannot be stored', '{"payload":"\\u0000"}', 400, 'unsupported-character'],
    ['a patch that does not fit', '{"patch":[{"op":"remove","path":"/nothing"}]}', 400, 'invalid-request'],
    ['a patch whose test fails', '{"patch":[{"op":"test","path":"/amount","value":11}]}', 400, 'invalid-request'],
    ['no payload', '{"retry":true}', 400, 'invalid-request'],
  ])('are refused with %s', async (_what, body, status, code) => {
    const event = await givenDead();
    expect(await reviseText<ProblemAnswer>(api.url, event.id, body)).toMatchObject({ status, body: { code } });
    expect(await read(event)).toMatchObject({ revisions: [] });
  });

  it('of events that do not exist, or that the operator may not see, are 404', async () => {
    const event = await givenDead();
    const bound = await admin<{ token: string }>(api.url, 'operators', {
      ...{ name: 'bound', role: 'operator', tenantIds: ['another'] },
    });
    const unseen = await revise(event, { payload: 1 }, { 'x-admin-token': bound.body.token });
    expect(unseen).toMatchObject({ status: 404, body: { code: 'event-not-found' } });
    expect((await revise({ ...event, id: '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a' }, { payload: 1 })).status).toBe(404);
  });

  it('are at most twenty, the event as it was sent included', async () => {
    const event = await givenDead();
    for (let revision = 2; revision <= 20; revision++)
      expect((await revise(event, { payload: revision })).status).toBe(201);
    expect(await revise(event, { payload: 0 })).toMatchObject({ status: 409, body: { code: 'too-many-revisions' } });
  });
});

describe('revisions, delivered', () => {
  const api = useApp({ DESTINATIONS_ALLOW_PRIVATE: 'true' });
  let receiver: TestReceiver;
  beforeEach(async () => (receiver = await TestReceiver.start()));
  afterEach(() => receiver.stop());

  it('reach the receiver under a webhook-id of their own, and a duplicate is still one of the original', async () => {
    const tenantId = 'delivered';
    receiver.reaction = (response, received) =>
      answer(received.body.includes('"amount":10.10') ? 200 : 422)(response, received);
    const { id: destinationId } = await givenDestination(api.url, { tenantId, url: receiver.url });
    const sent = '{"eventType":"order.paid","subject":"o-1","eventId":"own","payload":{"amount":"wrong"}}';
    const { id, hash } = (await postEvent(api.url, tenantId, sent)).body;
    const statusIs = (status: string) =>
      eventually(async () => expect((await getEvent(api.url, tenantId, id)).body.status).toBe(status));
    await statusIs('DLQ');
    const made = await reviseText(api.url, id, '{"payload":{"amount":10.10},"retry":true}');
    expect(made).toMatchObject({ status: 201, body: { revision: 2, retried: true } });
    await statusIs('COMPLETED');
    const [first, second] = receiver.received;
    expect([first?.headers['webhook-id'], second?.headers['webhook-id']]).toEqual([id, `${id}.2`]);
    expect(JSON.parse(second?.body ?? '')).toMatchObject({ id, revision: 2, hash: made.body.hash });
    expect(second?.body).toContain('"payload":{"amount":10.10},"revision":2}');
    expect(JSON.parse(first?.body ?? '')).not.toHaveProperty('revision');
    expect((await postEvent(api.url, tenantId, sent)).body).toMatchObject({ status: 'duplicate', id, hash });
    const changed = await postEvent(api.url, tenantId, sent.replace('"wrong"', '10.10'));
    expect(changed.body).toMatchObject({ code: 'event-id-conflict' });

    const tried = await admin<{ delivered: boolean }>(api.url, `destinations/${destinationId}/test`, { eventId: id });
    expect(tried.body.delivered).toBe(true);
    const { headers, body } = receiver.received.pop() as (typeof receiver.received)[0];
    expect([headers['webhook-id'], body]).toEqual([`${id}.2`, second?.body]);

    // Handlers that run again get the newest revision, and so do the deliveries that they make.
    await admin(api.url, 'replay', { tenantId, mode: 'reprocess' });
    await eventually(() => expect(receiver.received).toHaveLength(3));
    expect(receiver.received[2]?.headers['webhook-id']).toBe(`${id}.2`);
    await statusIs('COMPLETED');
    await expect(
      countRows(api.pool, `deliveries where destination_id = '${destinationId}' and revision = 2`),
    ).resolves.toBe(2);
  });
});
