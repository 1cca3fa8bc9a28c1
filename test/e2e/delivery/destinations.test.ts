import { Webhook } from 'standardwebhooks';
import { admin as operate, type ReplayProgress, type ReplayStarted } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { deliveryAttempts, deliveryRows, type DeliveryRow } from '../../support/deliveries';
import { admin, givenDestination } from '../../support/receivers/destinations';
import { call, postEvent } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useGateway } from '../../support/fixtures/gateway';
import { countRows } from '../../support/rows';
import { answer, inTurn, TestReceiver, type Reaction } from '../../support/receivers/receiver';

const RETRY_AFTER_SECONDS = 2;

describe('HTTP destinations', () => {
  const gateway = useGateway({ RETRY_BACKOFF_MS: '100,200', RETRY_JITTER: '0', MAX_RETRY_ATTEMPTS: '3' });
  let tenants = 0;
  const newTenant = (): string => `tenant-${(tenants += 1)}`;

  const send = async (tenant: string, payload = '{"amount":10.10,"id":12345678901234567890}', type = 'order.paid') => {
    const body = `{"eventType":"${type}","subject":"order-${Math.random()}","payload":${payload}}`;
    return (await postEvent(gateway.url, tenant, body)).body.id;
  };
  const { settled } = gateway;
  const reasons = async (eventId: string): Promise<string[]> =>
    (await deliveryAttempts(gateway.pool, eventId)).map(({ reasonCode }) => reasonCode);
  const deliveriesOf = async (id: string): Promise<DeliveryRow[]> =>
    (await deliveryRows(gateway.pool)).filter(({ eventId }) => eventId === id);
  const against = async (reaction: Reaction, more: Record<string, unknown> = {}) => {
    gateway.receiver.reaction = reaction;
    const tenant = newTenant();
    const destination = await givenDestination(gateway.url, { tenantId: tenant, url: gateway.receiver.url, ...more });
    return { tenant, destination, id: await send(tenant) };
  };

  it('receive the event as the API returns it, with the payload as it was sent, signed and traceable', async () => {
    const tenant = newTenant();
    const { secret } = await givenDestination(gateway.url, {
      tenantId: tenant,
      url: `${gateway.receiver.url}/hooks?a=b`,
    });
    const sent = '{"eventType":"order.paid","subject":"o-1","payload":{"n":12345678901234567890,"p":10.10,"ü":"☃"}}';
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'x-correlation-id': 'corr-1', traceparent };
    const { id } = (await postEvent(gateway.url, tenant, sent, headers)).body;
    await settled(tenant, id, 'COMPLETED');
    const [received] = gateway.receiver.of(id);
    expect(received?.path).toBe('/hooks?a=b');
    expect(received?.body).toContain('"payload":{"n":12345678901234567890,"p":10.10,"ü":"☃"}');
    expect(received?.headers).toMatchObject({ 'content-type': 'application/json', 'x-correlation-id': 'corr-1' });
    expect(received?.headers.traceparent).toBe(traceparent);
    // Throws if it is not right; the library checks the timestamp too.
    const event = new Webhook(secret).verify(received?.body ?? '', received?.headers as Record<string, string>);
    expect(event).toMatchObject({ id, tenantId: tenant, type: 'order.paid', subject: 'o-1', correlationId: 'corr-1' });
  });

  it('get retries with backoff under the same webhook-id until they answer 200', async () => {
    const { tenant, destination, id } = await against(inTurn(answer(500, {}, 'no'), answer(503), answer(200)));
    const { attempts } = await settled(tenant, id, 'COMPLETED');
    expect(attempts.map(({ reasonCode }) => reasonCode)).toEqual(['PROCESSED']); // of the handlers
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'DELIVERED', attempts: 3, exhausted: false }]);
    const log = await deliveryAttempts(gateway.pool, id);
    expect(log.map(({ attemptNumber, reasonCode, statusCode }) => [attemptNumber, reasonCode, statusCode])).toEqual([
      [1, 'HTTP_5XX', 500],
      [2, 'HTTP_5XX', 503],
      [3, 'PROCESSED', 200],
    ]);
    expect(log[0]?.responseExcerpt).toBe('no');
    const received = gateway.receiver.of(id);
    expect(received).toHaveLength(3);
    for (const { body, headers } of received)
      new Webhook(destination.secret).verify(body, headers as Record<string, string>);
    const [first, second, third] = received.map(({ atMs }) => atMs) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(100);
    expect(third - second).toBeGreaterThanOrEqual(200);
  });

  it('make the delivery FAILED at the end of the schedule, with the last cause, and the event a dead letter', async () => {
    const { tenant, id } = await against(answer(500));
    const event = await settled(tenant, id, 'DLQ');
    expect(event.attempts.map(({ status }) => status)).toEqual(['SUCCESS']);
    expect(await reasons(id)).toEqual(['HTTP_5XX', 'HTTP_5XX', 'HTTP_5XX']);
    expect(await deliveriesOf(id)).toMatchObject([
      { status: 'FAILED', exhausted: true, attempts: 3, lastReasonCode: 'HTTP_5XX', lastStatusCode: 500 },
    ]);
    // Of the event's handlers there is none.
    expect(await countRows(gateway.pool, `dead_letters where event_id = '${id}'`)).toBe(0);
    expect(await countRows(gateway.pool, `outbox where event_id = '${id}' and destination = 'dlq'`)).toBe(0);
  });

  it.each([
    [400, 'HTTP_4XX'],
    [404, 'HTTP_4XX'],
    [301, 'HTTP_3XX'],
    [307, 'HTTP_3XX'],
  ])('make the delivery FAILED at once with %i and %s, and no redirect is followed', async (status, reason) => {
    const elsewhere = await TestReceiver.start();
    try {
      const { tenant, id } = await against(answer(status, { location: elsewhere.url }, 'x'.repeat(2_000)));
      await settled(tenant, id, 'DLQ');
      expect(await reasons(id)).toEqual([reason]);
      const [delivery] = await deliveriesOf(id);
      expect(delivery).toMatchObject({ status: 'FAILED', exhausted: false, lastStatusCode: status });
      expect(delivery?.lastError?.length).toBeLessThanOrEqual(1_000);
      const [attempt] = await deliveryAttempts(gateway.pool, id);
      expect(attempt?.responseExcerpt).toMatch(/^x{900,1024}$/);
      expect(elsewhere.received).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });

  it('make the delivery FAILED at once with 410, and are disabled: later deliveries are SKIPPED', async () => {
    const { tenant, destination, id } = await against(answer(410));
    await settled(tenant, id, 'DLQ');
    expect(await reasons(id)).toEqual(['HTTP_4XX']);
    const disabledAt = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    await eventually(async () => {
      const { body } = await admin(gateway.url, 'GET', `/${destination.id}`);
      expect(body).toMatchObject({ enabled: false, disabledReason: 'answered 410 Gone', disabledAt });
    });
    const audit = await call<{ entries: object[] }>(`${gateway.url}/v1/admin/audit?limit=10`, {
      headers: { 'x-admin-token': ADMIN_TOKEN },
    });
    expect(audit.body.entries).toContainEqual(
      expect.objectContaining({
        actor: 'streamforge',
        action: 'destination.disable',
        filter: { id: destination.id, tenantId: tenant, url: `${gateway.receiver.url}/` },
        note: 'answered 410 Gone',
      }),
    );
    await eventually(async () => {
      expect((await call(`${gateway.url}/metrics`)).text).toMatch(/^streamforge_destinations_disabled 1$/m);
    }, 30_000);
    const later = await send(tenant);
    await settled(tenant, later, 'COMPLETED');
    expect(await deliveriesOf(later)).toMatchObject([{ status: 'SKIPPED', lastReasonCode: 'DESTINATION_DISABLED' }]);
    expect(gateway.receiver.received).toHaveLength(1);
    const again = await admin(gateway.url, 'PATCH', `/${destination.id}`, { enabled: true });
    expect(again.body).toMatchObject({ enabled: true, disabledReason: null, disabledAt: null });
  });

  it.each([
    ['seconds', () => String(RETRY_AFTER_SECONDS)],
    ['a date', () => new Date(Date.now() + (RETRY_AFTER_SECONDS + 1) * 1000).toUTCString()],
  ])('get no attempt before the time in Retry-After (%s) after a response with 429', async (_form, retryAfter) => {
    const { tenant, id } = await against(
      inTurn((response, received) => answer(429, { 'retry-after': retryAfter() })(response, received), answer(204)),
    );
    await settled(tenant, id, 'COMPLETED');
    expect(await reasons(id)).toEqual(['HTTP_429', 'PROCESSED']);
    const [first, second] = gateway.receiver.of(id).map(({ atMs }) => atMs) as [number, number];
    expect(second - first).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1000);
  });

  it('fail with TIMEOUT after their own timeout when they do not answer', async () => {
    const { tenant, id } = await against(
      inTurn(() => undefined, answer(200)),
      { timeoutMs: 300 },
    );
    await settled(tenant, id, 'COMPLETED');
    const [attempt] = await deliveryAttempts(gateway.pool, id);
    expect(attempt).toMatchObject({ reasonCode: 'TIMEOUT', statusCode: null });
  });

  it('have an event that they answered with 2xx, whatever follows the status line', async () => {
    const half: Reaction = (response) => {
      response.writeContinue();
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    };
    const { tenant, id } = await against(half);
    await settled(tenant, id, 'COMPLETED');
    expect(await reasons(id)).toEqual(['PROCESSED']);
    expect(gateway.receiver.of(id)).toHaveLength(1);
  });

  it('fail with CONNECTION_FAILED and get a retry when they break the connection before the status', async () => {
    const halfLine: Reaction = (response) => void response.socket?.end('HTTP/1.1 200');
    const { tenant, id } = await against(inTurn(halfLine, answer(200)));
    await settled(tenant, id, 'COMPLETED');
    expect(await reasons(id)).toEqual(['CONNECTION_FAILED', 'PROCESSED']);
    await gateway.receiver.stop();
    const refused = await send(tenant);
    await settled(tenant, refused, 'DLQ');
    expect(await reasons(refused)).toContain('CONNECTION_FAILED');
    gateway.receiver = await TestReceiver.start();
  });

  it('may answer with 10 MB: only the beginning is read, whatever the status', async () => {
    const written: number[] = [];
    const chunk = Buffer.alloc(65_536, 'y');
    const large =
      (status: number): Reaction =>
      (response) => {
        response.writeHead(status);
        const own = written.push(0) - 1;
        const write = (): void => {
          while ((written[own] ?? 0) < 160 * chunk.length && !response.destroyed) {
            written[own] = (written[own] ?? 0) + chunk.length;
            if (!response.write(chunk)) return void response.once('drain', write);
          }
          response.end();
        };
        write();
      };
    const { tenant, id } = await against(inTurn(large(500), large(200)));
    await settled(tenant, id, 'COMPLETED');
    expect(await reasons(id)).toEqual(['HTTP_5XX', 'PROCESSED']);
    expect((await deliveryAttempts(gateway.pool, id))[0]?.responseExcerpt?.length).toBeLessThanOrEqual(1_024);
    expect(written).toHaveLength(2);
    for (const bytes of written) expect(bytes).toBeLessThan(160 * chunk.length); // the connection was closed before
  });

  it('no longer hold up their waiting events after they are deleted', async () => {
    const { tenant, destination, id } = await against(answer(503, { 'retry-after': '2' }));
    await settled(tenant, id, 'RETRYING');
    expect((await admin(gateway.url, 'DELETE', `/${destination.id}`)).status).toBe(204);
    await settled(tenant, id, 'COMPLETED');
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'SKIPPED' }]);
    expect(gateway.receiver.of(id)).toHaveLength(1);
  });

  it('get the same webhook-id for a replay: republish opens the failed delivery, reprocess makes a new one', async () => {
    const { tenant, id } = await against(inTurn(answer(400), answer(200)));
    await settled(tenant, id, 'DLQ');
    const replayed = async (mode: string, deliveries: number) => {
      const { body } = await operate<ReplayStarted>(gateway.url, 'replay', { tenantId: tenant, eventIds: [id], mode });
      await eventually(async () => {
        const { body: replay } = await operate<ReplayProgress>(gateway.url, `replays/${body.replayId}`);
        expect([replay.status, replay.progress.completed]).toEqual(['DONE', 1]);
      });
      await settled(tenant, id, 'COMPLETED');
      expect(gateway.receiver.of(id)).toHaveLength(deliveries); // by webhook-id
    };
    await replayed('republish', 2);
    expect(await deliveriesOf(id)).toMatchObject([{ generation: 1, status: 'DELIVERED', attempts: 2 }]);
    await replayed('reprocess', 3);
    expect(await deliveriesOf(id)).toMatchObject([
      { generation: 1, status: 'DELIVERED', attempts: 2 },
      { generation: 2, status: 'DELIVERED', attempts: 1 },
    ]);
    await replayed('republish', 3); // nothing has failed
  });

  it('each get an event once, and a retry goes only to those that have not answered 2xx', async () => {
    const flaky = await TestReceiver.start();
    flaky.reaction = inTurn(answer(500), answer(200));
    const tenant = newTenant();
    try {
      await givenDestination(gateway.url, { tenantId: tenant, url: gateway.receiver.url });
      await givenDestination(gateway.url, { tenantId: tenant, url: flaky.url });
      await givenDestination(gateway.url, { tenantId: tenant, url: flaky.url, eventTypes: ['invoice.*'] });
      const id = await send(tenant);
      await settled(tenant, id, 'COMPLETED');
      expect([gateway.receiver.of(id).length, flaky.of(id).length]).toEqual([1, 2]);
      expect(await deliveriesOf(id)).toHaveLength(2);
    } finally {
      await flaky.stop();
    }
  });

  it('keep their own schedule when another destination refuses the event', async () => {
    const refusing = await TestReceiver.start();
    refusing.reaction = answer(400, {}, 'never');
    gateway.receiver.reaction = inTurn(answer(500), answer(200));
    const tenant = newTenant();
    try {
      const flaky = await givenDestination(gateway.url, { tenantId: tenant, url: gateway.receiver.url });
      const strict = await givenDestination(gateway.url, { tenantId: tenant, url: refusing.url });
      const id = await send(tenant);
      await settled(tenant, id, 'DLQ');
      const byDestination = new Map((await deliveriesOf(id)).map((one) => [one.destinationId, one]));
      expect(byDestination.get(flaky.id)).toMatchObject({ status: 'DELIVERED', attempts: 2 });
      expect(byDestination.get(strict.id)).toMatchObject({ status: 'FAILED', attempts: 1, lastStatusCode: 400 });
      expect([gateway.receiver.of(id).length, refusing.of(id).length]).toEqual([2, 1]);
    } finally {
      await refusing.stop();
    }
  });
});
