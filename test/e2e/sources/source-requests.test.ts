import { createHmac } from 'node:crypto';
import Stripe from 'stripe';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';

const SECRET = 'whsec_test_secret_of_the_endpoint';

const stripeBody = (id: string, amount = '10.10'): string =>
  `{"id":"${id}","object":"event","type":"invoice.paid","created":1767225600,"data":{"object":{"id":"in_1","amount":${amount},"large":12345678901234567890}}}`;

describe('requests to a source', () => {
  const running = useApp();
  let stripe: GivenSource;

  beforeAll(async () => {
    stripe = await givenSource(running.app, running.pool, {
      provider: 'stripe',
      name: 'shop payments',
      secrets: [SECRET],
    });
  });

  const signature = (payload: string, secret = SECRET, timestamp = Math.floor(Date.now() / 1000)): string =>
    Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
  const send = (body: string, header = signature(body), source = stripe) =>
    running.http
      .post(source.path)
      .set({ 'Content-Type': 'application/json; charset=utf-8', 'Stripe-Signature': header })
      .send(body);
  const read = async (id: string): Promise<Record<string, unknown>> =>
    (await running.http.get(`/v1/events/${id}`).set('X-Tenant-Id', 'acme')).body as Record<string, unknown>;

  it('become events with the fields that the preset finds and the payload exactly as sent', async () => {
    const body = stripeBody('evt_1');
    const response = await send(body);
    expect(response.body).toMatchObject({ status: 'accepted', duplicate: false, eventId: 'evt_1' });
    expect(response.status).toBe(200);
    const { id } = response.body as { id: string };
    const text = (await running.http.get(`/v1/events/${id}`).set('X-Tenant-Id', 'acme')).text;
    expect(text).toContain(`"payload":${body}`);
    expect(JSON.parse(text)).toMatchObject({
      type: 'invoice.paid',
      subject: 'in_1',
      eventId: 'evt_1',
      source: 'shop payments',
      sourceId: stripe.row.id,
      occurredAt: '2026-01-01T00:00:00.000Z',
    });
  });

  it('that are sent twice are one event', async () => {
    const first = await send(stripeBody('evt_2'));
    const second = await send(stripeBody('evt_2'));
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({ status: 'duplicate', duplicate: true, id: (first.body as { id: string }).id });
  });

  it('without the right signature are refused', async () => {
    const body = stripeBody('evt_3');
    const wrong = await send(body, signature(body, 'whsec_another_secret_entirely'));
    expect([wrong.status, (wrong.body as { code: string }).code]).toEqual([401, 'signature-invalid']);
    const old = await send(body, signature(body, SECRET, Math.floor(Date.now() / 1000) - 600));
    expect([old.status, (old.body as { code: string }).code]).toEqual([401, 'signature-expired']);
    const none = await running.http.post(stripe.path).set('Content-Type', 'application/json').send(body);
    expect([none.status, (none.body as { code: string }).code]).toEqual([401, 'signature-missing']);
  });

  it('with the id of another event are kept as a rejection, and answered 200', async () => {
    const first = await send(stripeBody('evt_4', '1'));
    const other = await send(stripeBody('evt_4', '2'));
    expect(other.status).toBe(200);
    expect(other.body).toMatchObject({ status: 'rejected', errors: [{ code: 'event-id-conflict' }] });
    const { rejectionId } = other.body as { rejectionId: string };
    const { rows } = await running.pool.query('select * from rejections where id = $1', [rejectionId]);
    expect(rows).toMatchObject([
      { tenant_id: 'acme', source_id: stripe.row.id, conflicts_with: (first.body as { id: string }).id },
    ]);
    expect((rows[0] as { body: Buffer }).body.toString()).toBe(stripeBody('evt_4', '2'));
  });

  it('that cannot be mapped are kept as a rejection, and answered 200', async () => {
    const body = '{"id":"evt_5","created":1,"data":{}}';
    const response = await send(body);
    expect(response.status).toBe(200);
    expect(response.body).toMatchObject({
      status: 'rejected',
      errors: [{ code: 'invalid-event', pointer: '/eventType' }],
    });
  });

  it('to an unknown URL get 404, and to a paused source 503', async () => {
    const unknown = await running.http.post(`/in/${'x'.repeat(43)}`).send({});
    expect([unknown.status, (unknown.body as { code: string }).code]).toEqual([404, 'source-not-found']);
    const paused = await givenSource(running.app, running.pool, {
      provider: 'stripe',
      secrets: [SECRET],
      status: 'paused',
    });
    const response = await send(stripeBody('evt_6'), undefined, paused);
    expect([response.status, response.headers['retry-after']]).toEqual([503, '60']);
  });

  it('of GitHub have the action in their type, and are told apart by their delivery', async () => {
    const github = await givenSource(running.app, running.pool, { provider: 'github', secrets: [SECRET] });
    const body = JSON.stringify({ action: 'opened', repository: { full_name: 'acme/shop' } });
    const response = await running.http
      .post(`${github.path}/some/path?x=1`)
      .set({
        'Content-Type': 'application/json',
        'X-GitHub-Event': 'issues',
        'X-GitHub-Delivery': 'd-1',
        'X-Hub-Signature-256': `sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`,
      })
      .send(body);
    expect(response.status).toBe(200);
    const { id } = response.body as { id: string };
    expect(await read(id)).toMatchObject({ type: 'issues.opened', subject: 'acme/shop', eventId: 'd-1' });
  });

  it('that do not pass the filter of the source are answered as accepted, and not stored', async () => {
    const source = await givenSource(running.app, running.pool, {
      provider: 'stripe',
      secrets: [SECRET],
      accept: { type: { $startsWith: 'invoice.' }, payload: { data: { object: { amount: { $gt: 100 } } } } },
    });
    const small = await send(stripeBody('evt_7', '100'), undefined, source);
    expect([small.status, small.body]).toEqual([
      200,
      { status: 'accepted', correlationId: expect.any(String) as string },
    ]);
    const large = await send(stripeBody('evt_8', '100.01'), undefined, source);
    expect(large.body).toMatchObject({ status: 'accepted', eventId: 'evt_8' });
    const { rows } = await running.pool.query('select event_id from events where source_id = $1', [source.row.id]);
    expect(rows).toEqual([{ event_id: 'evt_8' }]);
  });

  it('that the provider changes a little when it sends them again are still one event', async () => {
    const first = await send(stripeBody('evt_9').replace('"data"', '"pending_webhooks":2,"data"'));
    const again = await send(stripeBody('evt_9').replace('"data"', '"pending_webhooks":1,"data"'));
    expect(again.body).toMatchObject({ status: 'duplicate', id: (first.body as { id: string }).id });
    const other = await send(stripeBody('evt_9', '11').replace('"data"', '"pending_webhooks":1,"data"'));
    expect(other.body).toMatchObject({ status: 'rejected' });
  });
});
