import { Webhook } from 'standardwebhooks';
import { admin as operate, type ReplayProgress, type ReplayStarted } from '../../support/admin';
import { ADMIN_TOKEN } from '../../support/app';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { admin, givenDestination } from '../../support/receivers/destinations';
import { call, getEvent, postEvent, type EventAnswer } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { startProcess, type TestProcess } from '../../support/processes/process';
import { answer, inTurn, TestReceiver, type Reaction } from '../../support/receivers/receiver';

const RETRY_AFTER_SECONDS = 2;

describe('HTTP destinations', () => {
  let database: TestDatabase;
  let running: TestProcess;
  let receiver: TestReceiver;
  let tenants = 0;
  const newTenant = (): string => `tenant-${(tenants += 1)}`;

  beforeAll(async () => {
    database = await createTestDatabase();
    running = await startProcess({
      DATABASE_URL: database.url,
      DESTINATIONS_ALLOW_PRIVATE: 'true',
      RETRY_BACKOFF_MS: '100,200',
      RETRY_JITTER: '0',
      MAX_RETRY_ATTEMPTS: '3',
    });
  });
  afterAll(async () => {
    await running.end('SIGTERM');
    await database.drop();
  });
  beforeEach(async () => {
    receiver = await TestReceiver.start();
  });
  afterEach(() => receiver.stop());

  const send = async (tenant: string, payload = '{"amount":10.10,"id":12345678901234567890}', type = 'order.paid') => {
    const body = `{"eventType":"${type}","subject":"order-${Math.random()}","payload":${payload}}`;
    return (await postEvent(running.url, tenant, body)).body.id;
  };
  const settled = (tenant: string, id: string, status: string): Promise<EventAnswer> =>
    eventually(async () => {
      const { body } = await getEvent(running.url, tenant, id);
      expect([body.status, body.attempts.map(({ reasonCode }) => reasonCode)]).toEqual([status, expect.anything()]);
      return body;
    });
  const reasons = ({ attempts }: EventAnswer): string[] => attempts.map(({ reasonCode }) => reasonCode);
  const against = async (reaction: Reaction, more: Record<string, unknown> = {}) => {
    receiver.reaction = reaction;
    const tenant = newTenant();
    const destination = await givenDestination(running.url, { tenantId: tenant, url: receiver.url, ...more });
    return { tenant, destination, id: await send(tenant) };
  };

  it('receive the event as the API returns it, with the payload as it was sent, signed and traceable', async () => {
    const tenant = newTenant();
    const { secret } = await givenDestination(running.url, { tenantId: tenant, url: `${receiver.url}/hooks?a=b` });
    const sent = '{"eventType":"order.paid","subject":"o-1","payload":{"n":12345678901234567890,"p":10.10,"ü":"☃"}}';
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'x-correlation-id': 'corr-1', traceparent };
    const { id } = (await postEvent(running.url, tenant, sent, headers)).body;
    await settled(tenant, id, 'COMPLETED');
    const [received] = receiver.of(id);
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
    const event = await settled(tenant, id, 'COMPLETED');
    expect(reasons(event)).toEqual(['HTTP_5XX', 'HTTP_5XX', 'PROCESSED']);
    expect(event.attempts[0]?.errorMessage).toBe(`500 from destination ${destination.id}: no`);
    const received = receiver.of(id);
    expect(received).toHaveLength(3);
    for (const { body, headers } of received)
      new Webhook(destination.secret).verify(body, headers as Record<string, string>);
    const [first, second, third] = received.map(({ atMs }) => atMs) as [number, number, number];
    expect([second - first, third - second]).toEqual([expect.any(Number), expect.any(Number)]);
    expect(second - first).toBeGreaterThanOrEqual(100);
    expect(third - second).toBeGreaterThanOrEqual(200);
  });

  it('turn an event into a dead letter after MAX_RETRY_ATTEMPTS responses with 500', async () => {
    const { tenant, id } = await against(answer(500));
    expect(reasons(await settled(tenant, id, 'DLQ'))).toEqual(['HTTP_5XX', 'HTTP_5XX', 'HTTP_5XX']);
  });

  it.each([
    [400, 'HTTP_4XX'],
    [404, 'HTTP_4XX'],
    [301, 'HTTP_3XX'],
    [307, 'HTTP_3XX'],
  ])('turn an event into a dead letter at once with %i and %s, and no redirect is followed', async (status, reason) => {
    const elsewhere = await TestReceiver.start();
    try {
      const { tenant, id } = await against(answer(status, { location: elsewhere.url }, 'x'.repeat(2_000)));
      const event = await settled(tenant, id, 'DLQ');
      expect(reasons(event)).toEqual([reason]);
      expect(event.attempts[0]?.errorMessage).toMatch(new RegExp(`^${status} from destination .*: x{900,1000}$`));
      expect(elsewhere.received).toEqual([]);
    } finally {
      await elsewhere.stop();
    }
  });

  it('turn an event into a dead letter at once with 410, and are disabled for later events', async () => {
    const { tenant, destination, id } = await against(answer(410));
    expect(reasons(await settled(tenant, id, 'DLQ'))).toEqual(['HTTP_4XX']);
    const { body } = await admin(running.url, 'GET', `/${destination.id}`);
    const disabledAt = expect.stringMatching(/^20\d\d-.*Z$/) as string;
    expect(body).toMatchObject({ enabled: false, disabledReason: 'answered 410 Gone', disabledAt });
    const audit = await call<{ entries: object[] }>(`${running.url}/v1/admin/audit?limit=10`, {
      headers: { 'x-admin-token': ADMIN_TOKEN },
    });
    expect(audit.body.entries).toContainEqual(
      expect.objectContaining({
        actor: 'streamforge',
        action: 'destination.disable',
        filter: { id: destination.id, tenantId: tenant, url: `${receiver.url}/` },
        note: 'answered 410 Gone',
      }),
    );
    await eventually(async () => {
      expect((await call(`${running.url}/metrics`)).text).toMatch(/^streamforge_destinations_disabled 1$/m);
    }, 30_000);
    await settled(tenant, await send(tenant), 'COMPLETED');
    expect(receiver.received).toHaveLength(1);
    const again = await admin(running.url, 'PATCH', `/${destination.id}`, { enabled: true });
    expect(again.body).toMatchObject({ enabled: true, disabledReason: null, disabledAt: null });
  });

  it.each([
    ['seconds', () => String(RETRY_AFTER_SECONDS)],
    ['a date', () => new Date(Date.now() + (RETRY_AFTER_SECONDS + 1) * 1000).toUTCString()],
  ])('get no attempt before the time in Retry-After (%s) after a response with 429', async (_form, retryAfter) => {
    const { tenant, id } = await against(
      inTurn((response, received) => answer(429, { 'retry-after': retryAfter() })(response, received), answer(204)),
    );
    expect(reasons(await settled(tenant, id, 'COMPLETED'))).toEqual(['HTTP_429', 'PROCESSED']);
    const [first, second] = receiver.of(id).map(({ atMs }) => atMs) as [number, number];
    expect(second - first).toBeGreaterThanOrEqual(RETRY_AFTER_SECONDS * 1000);
  });

  it('fail with TIMEOUT after their own timeout when they do not answer', async () => {
    const { tenant, id } = await against(
      inTurn(() => undefined, answer(200)),
      { timeoutMs: 300 },
    );
    const event = await settled(tenant, id, 'COMPLETED');
    // On a busy machine the answer to the second attempt may take longer than that, too.
    expect(new Set(reasons(event))).toEqual(new Set(['TIMEOUT', 'PROCESSED']));
    expect(event.attempts[0]?.errorMessage).toMatch(/no response within 300 ms$/);
  });

  it('have an event that they answered with 2xx, whatever follows the status line', async () => {
    const half: Reaction = (response) => {
      response.writeContinue();
      response.writeHead(200, { 'content-length': '100' });
      response.write('half', () => response.socket?.destroy());
    };
    const { tenant, id } = await against(half);
    expect(reasons(await settled(tenant, id, 'COMPLETED'))).toEqual(['PROCESSED']);
    expect(receiver.of(id)).toHaveLength(1);
  });

  it('fail with CONNECTION_FAILED and get a retry when they break the connection before the status', async () => {
    const halfLine: Reaction = (response) => void response.socket?.end('HTTP/1.1 200');
    const { tenant, id } = await against(inTurn(halfLine, answer(200)));
    expect(reasons(await settled(tenant, id, 'COMPLETED'))).toEqual(['CONNECTION_FAILED', 'PROCESSED']);
    await receiver.stop();
    const refused = await settled(tenant, await send(tenant), 'DLQ');
    expect(refused.attempts[0]).toMatchObject({ reasonCode: 'CONNECTION_FAILED' });
    receiver = await TestReceiver.start();
  });

  it('may answer with 10 MB: only the beginning is read, whatever the status', async () => {
    let written = 0;
    const large =
      (status: number): Reaction =>
      (response) => {
        response.writeHead(status);
        const chunk = Buffer.alloc(65_536, 'y');
        const write = (): void => {
          while (written < 160 * chunk.length && !response.destroyed) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', write);
          }
          response.end();
        };
        write();
      };
    const { tenant, id } = await against(inTurn(large(500), large(200)));
    const event = await settled(tenant, id, 'COMPLETED');
    expect(reasons(event)).toEqual(['HTTP_5XX', 'PROCESSED']);
    expect(event.attempts[0]?.errorMessage?.length).toBeLessThanOrEqual(1_000);
    expect(written).toBeLessThan(2 * 160 * 65_536);
  });

  it('no longer hold up their waiting events after they are deleted', async () => {
    const { tenant, destination, id } = await against(answer(503, { 'retry-after': '2' }));
    await settled(tenant, id, 'RETRYING');
    expect((await admin(running.url, 'DELETE', `/${destination.id}`)).status).toBe(204);
    await settled(tenant, id, 'COMPLETED');
    expect(receiver.of(id)).toHaveLength(1);
  });

  it('get the same webhook-id for a retried dead letter and for a replay', async () => {
    const { tenant, id } = await against(inTurn(answer(400), answer(200)));
    await settled(tenant, id, 'DLQ');
    const replayed = async (mode: string, deliveries: number) => {
      const { body } = await operate<ReplayStarted>(running.url, 'replay', { tenantId: tenant, eventIds: [id], mode });
      await eventually(async () => {
        const { body: replay } = await operate<ReplayProgress>(running.url, `replays/${body.replayId}`);
        expect([replay.status, replay.progress.completed]).toEqual(['DONE', 1]);
      });
      expect(receiver.of(id)).toHaveLength(deliveries); // by webhook-id
    };
    await replayed('republish', 2);
    await replayed('reprocess', 3);
  });

  it('each get an event once, and a retry goes only to those that have not answered 2xx', async () => {
    const flaky = await TestReceiver.start();
    flaky.reaction = inTurn(answer(500), answer(200));
    const tenant = newTenant();
    try {
      await givenDestination(running.url, { tenantId: tenant, url: receiver.url });
      await givenDestination(running.url, { tenantId: tenant, url: flaky.url });
      await givenDestination(running.url, { tenantId: tenant, url: flaky.url, eventTypes: ['invoice.*'] });
      const id = await send(tenant);
      expect(reasons(await settled(tenant, id, 'COMPLETED'))).toEqual(['HTTP_5XX', 'PROCESSED']);
      expect([receiver.of(id).length, flaky.of(id).length]).toEqual([1, 2]);
    } finally {
      await flaky.stop();
    }
  });

  it('keep their retries, and get no second delivery, when another destination refuses the event', async () => {
    const refusing = await TestReceiver.start();
    refusing.reaction = answer(400, {}, 'never');
    receiver.reaction = inTurn(answer(500), answer(200));
    const tenant = newTenant();
    try {
      await givenDestination(running.url, { tenantId: tenant, url: receiver.url });
      await givenDestination(running.url, { tenantId: tenant, url: refusing.url });
      const id = await send(tenant);
      const event = await settled(tenant, id, 'DLQ');
      expect(reasons(event)).toEqual(['HTTP_5XX', 'HTTP_4XX']);
      expect(event.attempts[0]?.errorMessage).toMatch(/500 from .*; 400 from .*: never/);
      expect([receiver.of(id).length, refusing.of(id).length]).toEqual([2, 1]);
    } finally {
      await refusing.stop();
    }
  });
});
