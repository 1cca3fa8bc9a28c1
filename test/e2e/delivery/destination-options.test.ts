import { ADMIN_TOKEN } from '../../support/app';
import { deliveryAttempts, deliveryRows } from '../../support/deliveries';
import { call, postEvent } from '../../support/e2e-http';
import { useGateway } from '../../support/fixtures/gateway';
import { admin, givenDestination } from '../../support/receivers/destinations';
import { answer, inTurn, isSignedBy, TestReceiver, type Received } from '../../support/receivers/receiver';

const HOSTILE = '($f := function($x) { $f($x + 1) }; $f(0))';

describe('a destination with options', () => {
  const gateway = useGateway({ RETRY_BACKOFF_MS: '100', RETRY_JITTER: '0', MAX_RETRY_ATTEMPTS: '3' });
  let tenants = 0;

  const given = async (options: Record<string, unknown>) => {
    const tenant = `options-${(tenants += 1)}`;
    return {
      tenant,
      ...(await givenDestination(gateway.url, { tenantId: tenant, url: gateway.receiver.url, ...options })),
    };
  };
  const send = async (tenant: string, payload: unknown, type = 'order.paid'): Promise<string> => {
    const envelope = { eventType: type, subject: 'order-7', payload };
    return (await postEvent(gateway.url, tenant, JSON.stringify(envelope))).body.id;
  };
  const settled = (tenant: string, id: string, status = 'COMPLETED') => gateway.settled(tenant, id, status);
  const delivered = async (tenant: string, payload: unknown = { once: Math.random() }): Promise<Received> => {
    const id = await send(tenant, payload);
    await settled(tenant, id);
    return gateway.receiver.of(id).at(-1) as Received;
  };

  it('gets only the events that its filter lets pass', async () => {
    const { tenant } = await given({ filter: { payload: { amount: { $gt: 100 } } } });
    const small = await send(tenant, { amount: 100 });
    await delivered(tenant, { amount: 101 });
    await settled(tenant, small);
    expect(gateway.receiver.received.map(({ body }) => (JSON.parse(body) as { payload: object }).payload)).toEqual([
      { amount: 101 },
    ]);
  });

  it('gets what the transform makes, in the format, signed as it is sent, with the number of the try', async () => {
    gateway.receiver.reaction = inTurn(answer(503), answer(200));
    const transform = '{ "text": "Order " & subject & ": " & $string(payload.amount) }';
    const { tenant, secret } = await given({ transform, format: 'cloudevents-binary' });
    const id = await send(tenant, { amount: 150 });
    await settled(tenant, id);
    const received = gateway.receiver.of(id);
    expect(received.map(({ body }) => body)).toEqual(Array(2).fill('{"text":"Order order-7: 150"}'));
    expect(received.map(({ headers }) => headers['webhook-attempt'])).toEqual(['1', '2']);
    expect(received.map((one) => isSignedBy(secret, one))).toEqual([true, true]);
    expect(received[0]?.headers).toMatchObject({ 'ce-type': 'order.paid', 'content-type': 'application/json' });
  });

  it.each([
    ['yields nothing', 'payload.missing', 'it yields nothing'],
    ['loops for ever', HOSTILE, 'takes more than 50 ms of CPU time'],
    ['makes 10 MB', '[1..40].$pad("", 250000, "x")', /result larger than 262144 bytes|takes more than 50 ms/],
  ])('fails, with the reason, where the transform %s; others go on', async (_what, transform, message) => {
    const { tenant, id: destinationId } = await given({ transform });
    const other = await TestReceiver.start();
    try {
      await givenDestination(gateway.url, { tenantId: tenant, url: other.url });
      const id = await send(tenant, {});
      await settled(tenant, id, 'DLQ');
      const failed = (await deliveryRows(gateway.pool)).find(
        (one) => one.eventId === id && one.destinationId === destinationId,
      );
      expect(failed).toMatchObject({ status: 'FAILED', lastReasonCode: 'TRANSFORM_FAILED' });
      expect(failed?.lastError).toMatch(message);
      expect([gateway.receiver.of(id).length, other.of(id).length]).toEqual([0, 1]);
    } finally {
      await other.stop();
    }
  });

  it.each([
    [{ type: 'bearer', token: 'token-1234567890-abcd' }, { authorization: 'Bearer token-1234567890-abcd' }],
    [{ type: 'basic', username: 'ü', password: 'p:w' }, { authorization: 'Basic w7w6cDp3' }],
    [{ type: 'header', name: 'X-Api-Key', value: 'k-1' }, { 'x-api-key': 'k-1' }],
  ])('is called with its credentials %j and headers', async (auth, sent) => {
    const { tenant } = await given({ auth, headers: { 'X-Version': '2', 'Content-Type': 'application/vnd.x+json' } });
    const { headers } = await delivered(tenant);
    expect(headers).toMatchObject({ ...sent, 'x-version': '2', 'content-type': 'application/vnd.x+json' });
  });

  it('stores credentials and headers sealed, and shows at most a hint of them', async () => {
    const auth = { type: 'bearer', token: 'token-1234567890-abcd' };
    const { id } = await given({ auth, headers: { 'x-key': 'header-1234567890-efgh', 'x-env': 'prod' } });
    const { body, text } = await admin<Record<string, unknown>>(gateway.url, 'GET', `/${id}`);
    expect(body).toMatchObject({
      auth: { type: 'bearer', token: '…abcd' },
      headers: { 'x-key': '…efgh', 'x-env': '…' },
    });
    expect(text).not.toMatch(/token-12345|header-12345/);
    const rows = await gateway.pool.query<{ stored: string }>(
      `select (select string_agg(encode(x, 'escape'), ' ') from unnest(array[headers, auth]) x)
              || (select string_agg(a.filter::text, ' ') from admin_audit a where a.filter->>'id' = d.id::text) as stored
         from destinations d where id = $1`,
      [id],
    );
    expect(rows.rows[0]?.stored).toContain('"x-key"');
    expect(rows.rows[0]?.stored).not.toMatch(/token-12345|header-12345/);
  });

  it('changes a field and keeps the others; null removes one', async () => {
    const auth = { type: 'bearer', token: 'token-1234567890-abcd' };
    const { id, tenant } = await given({
      auth,
      filter: { type: 'order.paid' },
      transform: 'payload',
      ratePerSecond: 5,
    });
    const patched = await admin<object>(gateway.url, 'PATCH', `/${id}`, { filter: null, retrySchedule: [0.5, 5] });
    expect(patched.body).toMatchObject({
      filter: null,
      transform: 'payload',
      ratePerSecond: 5,
      retrySchedule: [0.5, 5],
    });
    expect((await delivered(tenant)).headers.authorization).toBe('Bearer token-1234567890-abcd');
    await admin(gateway.url, 'PATCH', `/${id}`, { auth: null, transform: null });
    expect((await delivered(tenant)).headers.authorization).toBeUndefined();
    expect((await admin(gateway.url, 'GET', `/${id}`)).body).toMatchObject({ auth: null, retrySchedule: [0.5, 5] });
  });

  describe('whose url gets another origin', () => {
    const AUTH = { type: 'bearer', token: 'token-1234567890-abcd' };
    const HEADERS = { 'x-key': 'header-1234567890-efgh' };
    const MESSAGE = 'must be given again, or null, with a url of another origin';
    let other: TestReceiver;
    beforeAll(async () => void (other = await TestReceiver.start()));
    afterAll(() => other.stop());
    const sentTo = (receiver: TestReceiver) =>
      receiver.received.map(({ headers }) => [headers.authorization, headers['x-key']]);

    it.each([
      ['PATCH', { auth: AUTH, headers: HEADERS }, {}, ['/headers', '/auth']],
      ['PATCH', { auth: AUTH, headers: HEADERS }, { auth: null }, ['/headers']],
      ['PATCH', { auth: AUTH, headers: HEADERS }, { headers: { 'x-key': 'another' } }, ['/auth']],
      ['PUT', { auth: AUTH, headers: HEADERS }, {}, ['/headers', '/auth']],
      ['PUT', { auth: AUTH }, { headers: null }, ['/auth']],
    ])('is refused on %s of %j with %j', async (method, stored, change, pointers) => {
      const { id, tenant } = await given({ ...stored, uid: 'moves' });
      const body = { url: other.url, ...change };
      const refused = await (method === 'PATCH'
        ? admin<{ errors: object[] }>(gateway.url, method, `/${id}`, body)
        : admin<{ errors: object[] }>(gateway.url, method, '/uid/moves', { tenantId: tenant, ...body }));
      expect([refused.status, refused.body.errors]).toEqual([
        400,
        pointers.map((pointer) => ({ pointer, code: 'invalid-request', message: MESSAGE })),
      ]);
      await admin(gateway.url, 'POST', `/${id}/test`);
      expect([other.received, gateway.receiver.received.length]).toEqual([[], 1]);
    });

    it('is changed where they are given again, or null, and where there are none', async () => {
      const { id } = await given({ auth: AUTH, headers: HEADERS });
      const change = async (body: object) => {
        const changed = await admin(gateway.url, 'PATCH', `/${id}`, body);
        await admin(gateway.url, 'POST', `/${id}/test`);
        return changed.status;
      };
      expect(await change({ url: `${gateway.receiver.url}/elsewhere` })).toBe(200);
      expect(await change({ url: other.url, auth: { ...AUTH, token: 'another' }, headers: null })).toBe(200);
      expect(await change({ url: gateway.receiver.url, auth: null })).toBe(200);
      expect(await change({ url: other.url })).toBe(200);
      const [key] = Object.values(HEADERS);
      expect(sentTo(gateway.receiver)).toEqual([
        [`Bearer ${AUTH.token}`, key],
        [undefined, undefined],
      ]);
      expect(sentTo(other)).toEqual([
        ['Bearer another', undefined],
        [undefined, undefined],
      ]);
    });
  });

  it.each([
    [{ filter: { payload: { amount: { $gte: {} } } } }, '/filter/payload/amount/$gte'],
    [{ filter: [] }, '/filter'],
    [{ transform: '$sum(' }, '/transform'],
    [{ transform: '' }, '/transform'],
    [{ format: 'xml' }, '/format'],
    [{ headers: { Host: 'x' } }, '/headers/Host'],
    [{ headers: { 'webhook-id': 'x' } }, '/headers/webhook-id'],
    [{ headers: { 'Transfer-Encoding': 'chunked' } }, '/headers/Transfer-Encoding'],
    [{ headers: { 'content-type': 'text/plain' } }, '/headers/content-type'],
    [{ headers: { 'content-type': 'application/json' }, format: 'cloudevents' }, '/headers/content-type'],
    [{ headers: { 'x-a': 'line\r\nbreak' } }, '/headers/x-a'],
    [{ headers: { 'x-a': 1 } }, '/headers/x-a'],
    [{ headers: { 'x-a': '1', 'X-A': '2' } }, '/headers/X-A'],
    [{ headers: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, '1'])) }, '/headers'],
    [{ headers: { 'x-a': 'x'.repeat(8_192) } }, '/headers'],
    [{ headers: { Authorization: 'x' }, auth: { type: 'bearer', token: 't' } }, '/headers/Authorization'],
    [{ auth: { type: 'digest' } }, '/auth/type'],
    [{ auth: {} }, '/auth/type'],
    [{ auth: { type: '__proto__' } }, '/auth/type'],
    [{ auth: { type: 'constructor' } }, '/auth/type'],
    [{ auth: { type: 'toString' } }, '/auth/type'],
    [{ auth: { type: ['bearer'], token: 't' } }, '/auth/type'],
    [{ auth: { type: 'header', name: 1, value: 'v' }, headers: { 'x-a': '1' } }, '/auth/name'],
    [{ auth: { type: 'header', value: 'v' }, headers: { 'x-a': '1' } }, '/auth/name'],
    [{ headers: { 'x-a': { toString: 1 } } }, '/headers/x-a/toString'],
    [{ headers: { 'x-a': null } }, '/headers/x-a'],
    [{ auth: { type: 'bearer' } }, '/auth/token'],
    [{ auth: { type: 'bearer', token: 't', more: 1 } }, '/auth/more'],
    [{ auth: { type: 'basic', username: 'a:b', password: 'p' } }, '/auth/username'],
    [{ auth: { type: 'header', name: 'webhook-signature', value: 'v' } }, '/auth/name'],
    [{ auth: { type: 'oauth2', tokenUrl: 'ftp://x', clientId: 'i', clientSecret: 's' } }, '/auth/tokenUrl'],
    [{ retrySchedule: [-1] }, '/retrySchedule'],
    [{ ratePerSecond: 0 }, '/ratePerSecond'],
    [{ secret: 'whsec_c2hvcnQ=' }, '/secret'],
    [{ secret: `whsec_${Buffer.alloc(65).toString('base64')}` }, '/secret'],
    [{ uid: 'no spaces' }, '/uid'],
  ])('is refused with %j', async (wrong, pointer) => {
    const request = { tenantId: 'wrong', url: gateway.receiver.url, ...wrong };
    const refused = await admin<{ errors: { pointer: string }[] }>(gateway.url, 'POST', '', request);
    expect([refused.status, refused.body.errors.map((error) => error.pointer)]).toEqual([400, [pointer]]);
  });

  describe('that is not enabled yet', () => {
    const test = (id: string, body?: object) =>
      admin<Record<string, unknown>>(gateway.url, 'POST', `/${id}/test`, body);

    it('gets a stored event as it would be delivered', async () => {
      const auth = { type: 'bearer', token: 'token-1234567890-abcd' };
      const options = { filter: { payload: { amount: { $gt: 100 } } }, transform: '/payload/amount', auth };
      const { tenant, id, secret } = await given({ ...options, format: 'cloudevents-binary', enabled: false });
      const eventId = `own-${Math.random()}`;
      const envelope = `{"eventType":"order.paid","eventId":"${eventId}","subject":"o","payload":{"amount":150.10}}`;
      const event = (await postEvent(gateway.url, tenant, envelope)).body.id;
      for (const reference of [event.toUpperCase(), eventId]) {
        const tested = await test(id, { eventId: reference });
        expect(tested.body).toMatchObject({
          delivered: true,
          matches: true,
          reasonCode: 'PROCESSED',
          request: { headers: { 'ce-id': eventId, 'content-type': 'application/json' }, bodyText: '150.10' },
        });
        expect(tested.text).not.toContain('token-12345');
      }
      expect(gateway.receiver.of(event)).toHaveLength(2);
      expect(isSignedBy(secret, gateway.receiver.of(event)[0])).toBe(true);
      expect(gateway.receiver.of(event)[0]?.headers).toMatchObject({
        'webhook-attempt': '1',
        authorization: `Bearer ${auth.token}`,
      });
    });

    it('shows no secret that the receiver repeats', async () => {
      const auth = { type: 'bearer', token: 'token-1234567890-abcd' };
      const { id } = await given({ auth, headers: { 'x-key': 'key-of-the-shop' }, enabled: false });
      gateway.receiver.reaction = (response, { headers }) =>
        void response.writeHead(401).end(`${headers.authorization}, ${String(headers['x-key'])}, password=open-sesame`);
      expect((await test(id)).body.message).toBe('***, ***, password=***');
    });

    it('gets no event that it would not get, and tells why; a failed transform is told, too', async () => {
      const { tenant, id } = await given({
        filter: { subject: 'order-8' },
        transform: 'payload.missing',
        enabled: false,
      });
      const event = await send(tenant, {});
      const refused = await test(id, { eventId: event });
      expect(refused.body).toMatchObject({ delivered: false, matches: false, reasonCode: null, request: null });
      await admin(gateway.url, 'PATCH', `/${id}`, { filter: null });
      expect((await test(id, { eventId: event })).body).toMatchObject({
        delivered: false,
        matches: true,
        reasonCode: 'TRANSFORM_FAILED',
        message: 'the transform failed: it yields nothing',
      });
      await admin(gateway.url, 'PATCH', `/${id}`, { eventTypes: ['other'] });
      expect((await test(id, { eventId: event })).body).toMatchObject({
        matches: false,
        message: expect.stringContaining('eventTypes') as string,
      });
      expect(gateway.receiver.received).toEqual([]);
    });

    it('is tried with other rules, which are neither stored nor sent', async () => {
      const { tenant, id } = await given({ filter: { subject: 'order-8' }, enabled: false });
      const eventId = await send(tenant, { amount: 150 });
      const tried = async (rules: object) => (await test(id, { eventId, dryRun: true, ...rules })).body;
      const nothing = { delivered: false, status: null, reasonCode: null };
      expect(await tried({})).toMatchObject({ ...nothing, matches: false, request: null });
      expect(await tried({ filter: null, transform: '{ "paid": payload.amount }' })).toMatchObject({
        ...nothing,
        ...{ matches: true, message: '' },
        request: { headers: { 'content-type': 'application/json' }, bodyText: '{"paid":150}' },
      });
      expect(await tried({ filter: { subject: 'order-7' }, transform: 'payload.missing' })).toMatchObject({
        ...{ delivered: false, matches: true, reasonCode: 'TRANSFORM_FAILED', request: null },
        message: 'the transform failed: it yields nothing',
      });
      const { errors } = (await tried({ filter: { amount: { $above: 1 } }, transform: '{' })) as {
        errors: { pointer: string }[];
      };
      expect(errors.map(({ pointer }) => pointer)).toEqual(['/filter/amount/$above', '/transform']);
      const madeUp = await test(id, { dryRun: true, transform: '/type' });
      expect(madeUp.body).toMatchObject({ ...nothing, matches: null, request: { bodyText: '"streamforge.test"' } });
      expect(gateway.receiver.received).toEqual([]);
      const stored = await admin(gateway.url, 'GET', `/${id}`);
      expect(stored.body).toMatchObject({ filter: { subject: 'order-8' }, transform: null });
    });

    it('does not get an event of another tenant', async () => {
      const { id } = await given({ enabled: false });
      const event = await send('somebody-else', {});
      for (const eventId of [event, 'unknown']) {
        const { status, body } = await test(id, { eventId });
        expect([status, body.code]).toEqual([404, 'event-not-found']);
      }
      expect((await test(id, { eventId: '' })).status).toBe(400);
      expect((await test(id)).body).toMatchObject({ delivered: true, matches: null });
    });
  });

  describe('and OAuth2', () => {
    let issuer: TestReceiver;
    let tokens: number;
    beforeEach(async () => {
      issuer = await TestReceiver.start();
      tokens = 0;
      issuer.reaction = (response, { body }) => {
        tokens += 1;
        const scope = new URLSearchParams(body).get('scope');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ access_token: `t${tokens}-${scope}`, token_type: 'Bearer', expires_in: 3600 }));
      };
    });
    afterEach(() => issuer.stop());
    const oauth2 = () => ({
      auth: { type: 'oauth2', tokenUrl: `${issuer.url}/token`, clientId: 'id', clientSecret: 'a b+c', scope: 'send' },
    });

    it('fetches one token for many deliveries, and another one when the receiver refuses it', async () => {
      const { tenant } = await given(oauth2());
      const ids = await Promise.all([1, 2, 3, 4].map((n) => send(tenant, n)));
      for (const id of ids) await settled(tenant, id);
      expect(gateway.receiver.received.map(({ headers }) => headers.authorization)).toEqual(
        Array(4).fill('Bearer t1-send'),
      );
      expect(issuer.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('id:a+b%2Bc').toString('base64')}`);
      expect(issuer.received[0]?.body).toBe('grant_type=client_credentials&scope=send');
      gateway.receiver.reaction = (response, { headers }) =>
        void response.writeHead(headers.authorization === 'Bearer t1-send' ? 401 : 200).end();
      const id = await send(tenant, 5);
      await settled(tenant, id);
      expect(await deliveryAttempts(gateway.pool, id)).toHaveLength(1);
      expect(gateway.receiver.of(id).map(({ headers }) => headers.authorization)).toEqual([
        'Bearer t1-send',
        'Bearer t2-send',
      ]);
      expect(tokens).toBe(2);
    });

    it('retries a delivery that gets no token, with AUTH_FAILED, and shows no secret', async () => {
      issuer.reaction = answer(401, {}, '{"error":"invalid_client","error_description":"a b+c is wrong"}');
      const { tenant } = await given(oauth2());
      const id = await send(tenant, 1);
      await settled(tenant, id, 'DLQ');
      const attempts = await deliveryAttempts(gateway.pool, id);
      expect(attempts.map(({ reasonCode }) => reasonCode).slice(0, 2)).toEqual(['AUTH_FAILED', 'AUTH_FAILED']);
      const failed = (await deliveryRows(gateway.pool)).find(({ eventId }) => eventId === id);
      expect(failed?.lastError).toContain('the token endpoint responded with 401: invalid_client');
      expect(JSON.stringify([attempts, failed])).not.toContain('a b+c');
      expect(gateway.receiver.received).toEqual([]);
      expect(issuer.received).toHaveLength(1);
    });
  });

  describe('and a uid', () => {
    const put = <T = Record<string, unknown>>(uid: string, body: object) =>
      admin<T>(gateway.url, 'PUT', `/uid/${uid}`, body);
    const secretOf = (byte: number): string => `whsec_${Buffer.alloc(24, byte).toString('base64')}`;

    it('is created by PUT, and replaced by the next one; what is secret stays where it is left out', async () => {
      const secret = secretOf(1);
      const auth = { type: 'bearer', token: 'token-1234567890-abcd' };
      const request = {
        tenantId: 'by-uid',
        url: `${gateway.receiver.url}/a`,
        description: 'first',
        transform: 'payload',
      };
      const created = await put('orders', { ...request, secret, auth });
      expect([created.status, created.body]).toMatchObject([201, { uid: 'orders', secret, description: 'first' }]);
      const again = await put('orders', { tenantId: 'by-uid', url: `${gateway.receiver.url}/b` });
      expect([again.status, again.body]).toMatchObject([
        200,
        {
          id: created.body.id,
          url: `${gateway.receiver.url}/b`,
          description: '',
          transform: null,
          auth: { token: '…abcd' },
        },
      ]);
      expect(again.body).not.toHaveProperty('secret');
      expect(isSignedBy(secret, await delivered('by-uid'))).toBe(true);
      const fresh = secretOf(2);
      expect((await put('orders', { tenantId: 'by-uid', url: gateway.receiver.url, secret: fresh })).status).toBe(200);
      expect(isSignedBy(fresh, await delivered('by-uid'))).toBe(true);
    });

    it('belongs to one destination of a tenant, also where two requests come at the same time', async () => {
      const request = { tenantId: 'twins', url: gateway.receiver.url };
      const both = await Promise.all([put('one', request), put('one', request)]);
      expect(both.map(({ status }) => status).sort()).toEqual([200, 201]);
      expect(both[0]?.body.id).toBe(both[1]?.body.id);
      const taken = await admin<{ code: string }>(gateway.url, 'POST', '', { ...request, uid: 'one' });
      expect([taken.status, taken.body.code]).toEqual([409, 'already-exists']);
      expect((await put('one', { ...request, tenantId: 'others' })).status).toBe(201);
    });

    it('takes a secret of the operator at a rotation', async () => {
      const { tenant, id } = await given({});
      const body = { secret: secretOf(3), overlapSeconds: 0 };
      const rotated = await admin<{ secret: string }>(gateway.url, 'POST', `/${id}/rotate-secret`, body);
      expect(rotated.body.secret).toBe(secretOf(3));
      expect(isSignedBy(secretOf(3), await delivered(tenant))).toBe(true);
    });

    it('needs the token of an operator', async () => {
      const refused = await call(`${gateway.url}/v1/admin/destinations/uid/x`, { method: 'PUT' });
      expect(refused.status).toBe(401);
      const wrong = await call(`${gateway.url}/v1/admin/destinations/uid/no%20spaces`, {
        method: 'PUT',
        headers: { 'x-admin-token': ADMIN_TOKEN, 'content-type': 'application/json' },
        body: JSON.stringify({ tenantId: 'x', url: gateway.receiver.url }),
      });
      expect(wrong.status).toBe(400);
    });
  });
});
