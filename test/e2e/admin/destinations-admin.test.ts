import { createTestDatabase, type TestDatabase } from '../../support/database';
import { admin, givenDestination, type DestinationResponse } from '../../support/receivers/destinations';
import { call, expectProblem, getEvent, postEvent } from '../../support/e2e-http';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { answer, isSignedBy, TestReceiver } from '../../support/receivers/receiver';

const UNKNOWN = '01a20bbe-19c6-756a-9bb1-3e2e8e86f56a';

describe('/v1/admin/destinations', () => {
  let database: TestDatabase;
  let guarded: TestProcess;
  let open: TestProcess;
  let receiver: TestReceiver;
  beforeAll(async () => {
    database = await createTestDatabase();
    open = await startProcess({ DATABASE_URL: database.url, DESTINATIONS_ALLOW_PRIVATE: 'true' });
    guarded = await startProcess({
      DATABASE_URL: database.url,
      APP_ROLE: 'api',
      DESTINATIONS_REQUIRE_HTTPS: 'true',
    });
    receiver = await TestReceiver.start();
  });
  afterAll(async () => {
    await Promise.all([open.end('SIGTERM'), guarded.end('SIGTERM')]);
    await receiver.stop();
    await database.drop();
  });

  it('requires the admin token', async () => {
    for (const [method, path] of [
      ['GET', ''],
      ['POST', ''],
      ['GET', `/${UNKNOWN}`],
      ['PATCH', `/${UNKNOWN}`],
      ['DELETE', `/${UNKNOWN}`],
      ['POST', `/${UNKNOWN}/test`],
      ['POST', `/${UNKNOWN}/rotate-secret`],
    ] as const) {
      const refused = await call(`${open.url}/v1/admin/destinations${path}`, { method });
      expectProblem(refused, 401, 'admin-token-invalid');
    }
  });

  it('registers, shows, lists, changes and removes a destination, shows the secret once and stores it sealed', async () => {
    const created = await givenDestination(open.url, { tenantId: 'crud', url: receiver.url, description: 'shop' });
    const { secret, ...rest } = created;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(rest).toMatchObject({
      eventTypes: ['*'],
      enabled: true,
      timeoutMs: 10_000,
      maxInFlight: 8,
      ordering: 'none',
    });
    const path = `/${created.id}`;
    const shown = await admin(open.url, 'GET', path);
    expect(shown.body).toMatchObject(rest);
    expect(Object.keys(shown.body)).not.toContain('secret');
    const { rows } = await database.pool.query<{ secret: Buffer }>('select secret from destinations where id = $1', [
      created.id,
    ]);
    expect(rows[0]?.secret.toString('latin1')).not.toContain(secret.slice(6, 20));

    const changed = await admin(open.url, 'PATCH', path, { eventTypes: ['order.*'], enabled: false, timeoutMs: 100 });
    expect(changed.body).toMatchObject({ eventTypes: ['order.*'], enabled: false, timeoutMs: 100, url: rest.url });
    const second = await givenDestination(open.url, { tenantId: 'crud', url: receiver.url });
    const list = (query: string) =>
      admin<{ destinations: DestinationResponse[]; nextCursor: string | null }>(
        open.url,
        'GET',
        `?tenantId=crud${query}`,
      );
    const page = (await list('&limit=1')).body;
    expect([page.destinations.map(({ id }) => id), page.nextCursor]).toEqual([[second.id], second.id]);
    const rest2 = (await list(`&limit=1&cursor=${page.nextCursor}`)).body;
    expect(rest2.destinations.map(({ id }) => id)).toEqual([created.id]);

    const upper = `/${created.id.toUpperCase()}`;
    expect((await admin(open.url, 'GET', upper)).body.id).toBe(created.id);
    expect((await admin(open.url, 'PATCH', upper, { timeoutMs: 10_000 })).body.id).toBe(created.id);
    expect((await admin(open.url, 'POST', `${upper}/rotate-secret`)).status).toBe(200);
    expect((await admin<{ delivered: boolean }>(open.url, 'POST', `${upper}/test`)).body.delivered).toBe(true);
    const below = (await list(`&limit=1&cursor=${second.id.toUpperCase()}`)).body;
    expect(below.destinations.map(({ id }) => id)).toEqual([created.id]);

    const order = async (change: object): Promise<unknown> => {
      const { ordering, onPoison, latestOnly } = (await admin<Record<string, unknown>>(open.url, 'PATCH', path, change))
        .body;
      return [ordering, onPoison, latestOnly];
    };
    await expect(order({ latestOnly: true })).resolves.toEqual(['key', 'block', true]);
    await expect(order({ onPoison: 'skip', timeoutMs: 200 })).resolves.toEqual(['key', 'skip', true]);
    await expect(order({ ordering: 'none' })).resolves.toEqual(['none', 'skip', false]);

    expect((await admin(open.url, 'DELETE', path)).status).toBe(204);
    for (const [method, below] of [
      ['GET', ''],
      ['DELETE', ''],
      ['PATCH', ''],
      ['POST', '/test'],
      ['POST', '/rotate-secret'],
    ] as const) {
      const body = method === 'PATCH' ? {} : undefined;
      expectProblem(await admin(open.url, method, path + below, body), 404, 'destination-not-found');
    }
  });

  it.each([
    ['tenantId', { tenantId: 'no spaces' }],
    ['url', { url: undefined }],
    ['url', { url: 'ftp://example.com/' }],
    ['url', { url: 'not a url' }],
    ['url', { url: 'http://user:secret@127.0.0.1/' }],
    ['url', { url: 'http://127.0.0.1/#part' }],
    ['url', { url: 'http://no-such-host.invalid/' }],
    ['eventTypes', { eventTypes: [] }],
    ['eventTypes', { eventTypes: ['a*b'] }],
    ['eventTypes', { eventTypes: 'order.*' }],
    ['timeoutMs', { timeoutMs: 99 }],
    ['timeoutMs', { timeoutMs: 30_001 }],
    ['maxInFlight', { maxInFlight: 0 }],
    ['ordering', { ordering: 'all' }],
    ['onPoison', { ordering: 'key', onPoison: 'drop' }],
    ['latestOnly', { ordering: 'none', latestOnly: true }],
    ['enabled', { enabled: 'yes' }],
    ['description', { description: null }],
    ['description', { description: '\ud800' }],
    ['eventTypes', { eventTypes: ['\ud800'] }],
    ['secret', { secret: 'whsec_mine' }],
  ])('refuses an invalid %s: %j', async (property, wrong) => {
    const refused = await admin(open.url, 'POST', '', { tenantId: 't', url: receiver.url, ...wrong });
    const problem = expectProblem(
      { ...refused, text: refused.text.replaceAll('127.0.0.1', '') },
      400,
      'invalid-request',
    );
    expect(problem.errors?.map(({ pointer }) => pointer)).toContain(`/${property}`);
  });

  it.each([
    'https://127.0.0.1/',
    'https://localhost/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::ffff:192.168.0.1]/',
    'https://0x7f000001/',
    'https://100.64.1.1/',
    'http://8.8.8.8/',
  ])('refuses %s unless it is allowed', async (url) => {
    const problem = expectProblem(await admin(guarded.url, 'POST', '', { tenantId: 't', url }), 400, 'invalid-request');
    expect(problem.errors).toMatchObject([{ pointer: '/url' }]);
  });

  it('sends a test event at once and reports the response', async () => {
    const { id, secret } = await givenDestination(open.url, { tenantId: 'try', url: receiver.url, enabled: false });
    const before = receiver.received.length;
    const good = await admin(open.url, 'POST', `/${id}/test`);
    expect([good.status, good.body]).toMatchObject([200, { delivered: true, status: 200, reasonCode: 'PROCESSED' }]);
    const [received] = receiver.received.slice(before);
    expect(isSignedBy(secret, received)).toBe(true);
    expect(JSON.parse(received?.body ?? '')).toMatchObject({ type: 'streamforge.test', tenantId: 'try' });
    receiver.reaction = answer(503, {}, 'closed today');
    const bad = await admin(open.url, 'POST', `/${id}/test`);
    expect(bad.body).toMatchObject({ delivered: false, status: 503, reasonCode: 'HTTP_5XX', message: 'closed today' });
    receiver.reaction = answer(200);
  });

  it('sends a test event with the fields and the hash of a real delivery', async () => {
    const tenantId = 'same-shape';
    const { id } = await givenDestination(open.url, { tenantId, url: receiver.url });
    const before = receiver.received.length;
    await admin(open.url, 'POST', `/${id}/test`);
    const test = JSON.parse(receiver.received[before]?.body ?? '') as Record<string, unknown>;
    const { type: eventType, subject, source, payload } = test;
    const sent = (await postEvent(open.url, tenantId, JSON.stringify({ eventType, subject, source, payload }))).body;
    const real = await eventually(
      () => JSON.parse(receiver.of(sent.id)[0]?.body ?? 'not yet') as Record<string, unknown>,
    );
    expect(test.hash).toMatch(/^[0-9a-f]{64}$/);
    const { id: realId, receivedAt, correlationId } = real;
    const own = { id: realId, eventId: realId, receivedAt, occurredAt: receivedAt, correlationId };
    expect(real).toEqual({ ...test, ...own });
    expect([test.eventId, test.occurredAt]).toEqual([test.id, test.receivedAt]);
    expect(Object.keys(test)).toEqual(Object.keys(real));
  });

  it('rotates the secret, with or without a time in which both sign', async () => {
    const tenant = 'rotating';
    const { id, secret: first } = await givenDestination(open.url, { tenantId: tenant, url: receiver.url });
    const rotate = async (body?: object) =>
      (await admin<DestinationResponse & { secret: string }>(open.url, 'POST', `/${id}/rotate-secret`, body)).body;
    const verifiedBy = async (...secrets: string[]): Promise<boolean[]> => {
      const sent = '{"eventType":"order.paid","subject":"s","payload":' + String(Math.random()) + '}';
      const event = (await postEvent(open.url, tenant, sent)).body;
      await eventually(async () => expect((await getEvent(open.url, tenant, event.id)).body.status).toBe('COMPLETED'));
      return secrets.map((secret) => isSignedBy(secret, receiver.of(event.id)[0]));
    };
    const second = await rotate();
    expect(Date.parse(second.previousSecretUntil ?? '')).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(await verifiedBy(first, second.secret)).toEqual([true, true]);
    const third = await rotate({ overlapSeconds: 60 });
    expect(await verifiedBy(first, second.secret, third.secret)).toEqual([false, true, true]);
    const fourth = await rotate({ overlapSeconds: 0 });
    expect(await verifiedBy(second.secret, third.secret, fourth.secret)).toEqual([false, false, true]);
    expect(fourth.previousSecretUntil).toBeNull();
  });

  it('goes on signing with the secret that the receiver has when a rotation is repeated', async () => {
    const tenant = 'repeating';
    const { id, secret: first } = await givenDestination(open.url, { tenantId: tenant, url: receiver.url });
    type Rotated = DestinationResponse & { secret: string };
    const rotate = async (body?: object) => (await admin<Rotated>(open.url, 'POST', `/${id}/rotate-secret`, body)).body;
    const signs = async (...secrets: string[]): Promise<boolean[]> => {
      const event = (await postEvent(open.url, tenant, JSON.stringify(eventBody({ subject: secrets.join() })))).body;
      await eventually(async () => expect((await getEvent(open.url, tenant, event.id)).body.status).toBe('COMPLETED'));
      return secrets.map((secret) => isSignedBy(secret, receiver.of(event.id)[0]));
    };
    const lost = await rotate();
    const again = await rotate({ keepPrevious: true });
    expect(again.previousSecretUntil).toBe(lost.previousSecretUntil);
    expect(await signs(first, lost.secret, again.secret)).toEqual([true, false, true]);
    const repeated = await rotate({ secret: again.secret });
    expect(repeated.previousSecretUntil).toBe(lost.previousSecretUntil);
    expect(await signs(first, again.secret)).toEqual([true, true]);
    expect((await rotate({ secret: again.secret, overlapSeconds: 0 })).previousSecretUntil).toBeNull();
    expect(await signs(again.secret, first)).toEqual([true, false]);
  });

  it('allows at most 50 destinations for a tenant', async () => {
    await database.pool.query(
      `insert into destinations (id, tenant_id, url, event_types, enabled, description, timeout_ms, max_in_flight, secret)
       select gen_random_uuid(), 'many', 'https://example.com/', '{*}', false, '', 1000, 1, '' from generate_series(1, 50)`,
    );
    const refused = await admin(open.url, 'POST', '', { tenantId: 'many', url: receiver.url });
    expectProblem(refused, 409, 'too-many-destinations');
  });

  it('reads its secrets after a restart without a key in the settings', async () => {
    const { id, secret } = await givenDestination(open.url, { tenantId: 'again', url: receiver.url });
    await open.end('SIGKILL');
    open = await startProcess({ DATABASE_URL: database.url, DESTINATIONS_ALLOW_PRIVATE: 'true' });
    const before = receiver.received.length;
    expect((await admin(open.url, 'POST', `/${id}/test`)).body).toMatchObject({ delivered: true });
    expect(isSignedBy(secret, receiver.received[before])).toBe(true);
  });
});
