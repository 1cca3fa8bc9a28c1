import { ADMIN_TOKEN } from '../../support/app';
import { call, postEvent, postStream } from '../../support/e2e-http';
import { syntheticEvents, toNdjson } from '../../support/e2e-events';
import { allCompleted, TestCluster } from '../../support/processes/e2e-cluster';
import { givenDestination } from '../../support/receivers/destinations';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { OtlpCollector } from '../../support/receivers/otlp-collector';
import type { TestProcess } from '../../support/processes/process';
import { TestReceiver } from '../../support/receivers/receiver';

const ROLES = ['api', 'publisher', 'worker'] as const;

/** Lines of a process as objects; its banner is none of them. */
function linesOf({ output }: TestProcess): Record<string, unknown>[] {
  const lines = output().split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('one event through three processes', () => {
  let cluster: TestCluster;
  let collector: OtlpCollector;
  let processes: Record<(typeof ROLES)[number], TestProcess>;
  beforeAll(async () => {
    [cluster, collector] = await Promise.all([TestCluster.create(), OtlpCollector.start()]);
    const env = { ...collector.env, LOG_LEVEL: 'debug', DESTINATIONS_ALLOW_PRIVATE: 'true' };
    const [api, publisher, worker] = await Promise.all(ROLES.map((role) => cluster.start(role, env)));
    processes = { api, publisher, worker } as typeof processes;
  });
  afterAll(async () => {
    await cluster.drop();
    await collector.close();
  });

  it('belongs to the trace of the caller, with each step below the one before it', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const { status, body } = await postEvent(processes.api.url, 'acme', JSON.stringify(eventBody()), headers);
    expect(status).toBe(202);
    const consumer = await eventually(() => collector.one(traceId, 'process events.main'));
    const server = await eventually(() => collector.one(traceId, 'POST /v1/events'));
    const batch = await eventually(() => collector.one(traceId, 'ingest batch'));
    const outbox = await eventually(() => collector.one(traceId, 'outbox'));
    const producer = await eventually(() => collector.one(traceId, 'publish events.main'));
    expect(server).toMatchObject({ kind: 'SERVER', role: 'api', parentSpanId: 'b7ad6b7169203331' });
    expect(batch).toMatchObject({ kind: 'INTERNAL', role: 'api', parentSpanId: server.spanId });
    expect(outbox).toMatchObject({ kind: 'INTERNAL', role: 'publisher', parentSpanId: server.spanId });
    expect(producer).toMatchObject({ kind: 'PRODUCER', role: 'publisher', parentSpanId: outbox.spanId });
    expect(consumer).toMatchObject({ kind: 'CONSUMER', role: 'worker', parentSpanId: producer.spanId });
    expect(consumer.attributes).toMatchObject({
      'messaging.message.id': body.id,
      'streamforge.correlation_id': body.correlationId,
      'streamforge.outcome': 'completed',
    });
    expect(collector.spans.filter((span) => span.traceId === traceId)).toHaveLength(5);
  });

  it('continues its trace at the HTTP destination, which gets the calling span', async () => {
    const traceId = '3df7651916cd43dd8448eb211c80319f';
    const receiver = await TestReceiver.start();
    try {
      await givenDestination(processes.api.url, { tenantId: 'hooked', url: receiver.url });
      const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
      const { body } = await postEvent(processes.api.url, 'hooked', JSON.stringify(eventBody()), headers);
      const consumer = await eventually(() => collector.one(traceId, 'process events.main'));
      const call = await eventually(() => collector.one(traceId, 'handle destinations'));
      expect(call).toMatchObject({ kind: 'CLIENT', role: 'worker', parentSpanId: consumer.spanId });
      expect(receiver.of(body.id)[0]?.headers.traceparent).toBe(`00-${traceId}-${call.spanId}-01`);
    } finally {
      await receiver.stop();
    }
  });

  it('starts a new trace without a trace of the caller', async () => {
    const { body } = await postEvent(processes.api.url, 'acme', JSON.stringify(eventBody()));
    const consumer = await eventually(() => {
      const found = collector.spans.find(({ attributes, kind }) => {
        return kind === 'CONSUMER' && attributes['messaging.message.id'] === body.id;
      });
      if (!found) throw new Error('not there yet');
      return found;
    });
    expect((await eventually(() => collector.one(consumer.traceId, 'POST /v1/events'))).parentSpanId).toBeUndefined();
  });

  it('has no span when the caller does not sample it', async () => {
    const traceId = '1bf7651916cd43dd8448eb211c80319d';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-00` };
    await postEvent(processes.api.url, 'unsampled', JSON.stringify(eventBody()), headers);
    await allCompleted(cluster.pool, 'unsampled', 1);
    const later = await postEvent(processes.api.url, 'unsampled', JSON.stringify(eventBody()));
    await eventually(() => {
      const ids = collector.spans.map(({ attributes }) => attributes['messaging.message.id']);
      expect(ids).toContain(later.body.id);
    });
    expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  });

  it('has spans for callers who are known, and not for strangers who ask for them', async () => {
    const ask = (traceId: string, path: string, headers: Record<string, string>) =>
      call(`${processes.api.url}${path}`, {
        headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01`, ...headers },
      });
    const [stranger, guesser, operator] = ['4ef7', '5ef7', '6ef7'].map(
      (start) => `${start}651916cd43dd8448eb211c80319c`,
    );
    expect((await ask(stranger as string, '/v1/whoami', {})).status).toBe(400);
    expect((await ask(guesser as string, '/v1/admin/audit', { 'x-admin-token': 'a-guess' })).status).toBe(401);
    expect((await ask(operator as string, '/v1/admin/audit', { 'x-admin-token': ADMIN_TOKEN })).status).toBe(200);
    const span = await eventually(() => collector.one(operator as string, 'GET /v1/admin/audit'));
    expect(span).toMatchObject({ parentSpanId: 'b7ad6b7169203331' });
    expect(collector.spans.filter(({ traceId }) => traceId === stranger || traceId === guesser)).toEqual([]);
  });

  it('has spans for the first 20 records of a stream, with links between their batches', async () => {
    const traceId = '2cf7651916cd43dd8448eb211c80319e';
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    await postStream(processes.api.url, 'streams', toNdjson(syntheticEvents(100, 'traced')), headers);
    await allCompleted(cluster.pool, 'streams', 100);
    const consumers = () => collector.spans.filter((span) => span.traceId === traceId && span.kind === 'CONSUMER');
    await eventually(() => expect(consumers()).toHaveLength(20));
    const { rows } = await cluster.pool.query<{ n: number }>(
      `select count(*)::int as n from events where tenant_id = 'streams' and traceparent like '%-00'`,
    );
    expect(rows[0]?.n).toBe(80);
  });

  it('has one correlation id in the log lines of all three', async () => {
    const headers = { 'X-Correlation-Id': 'order-7/checkout' };
    const { body } = await postEvent(processes.api.url, 'acme', JSON.stringify(eventBody()), headers);
    expect(body.correlationId).toBe('order-7/checkout');
    const ours = (role: (typeof ROLES)[number], msg: string) =>
      eventually(() => {
        const found = linesOf(processes[role]).find((line) => line.msg === msg && line.eventId === body.id);
        if (!found) throw new Error(`no line ${msg} of ${role}`);
        return found;
      });
    const expected = { tenantId: 'acme', correlationId: 'order-7/checkout' };
    expect(await ours('api', 'event.stored')).toMatchObject({ ...expected, role: 'api', outcome: 'accepted' });
    expect(await ours('publisher', 'event.published')).toMatchObject({ ...expected, outcome: 'confirmed' });
    const settled = { outcome: 'COMPLETED', reasonCode: 'PROCESSED', attemptNumber: 1, maxAttempts: 5 };
    expect(await ours('worker', 'delivery.settled')).toMatchObject({ ...expected, ...settled });
  });

  it('has log lines with counts for its batches and claims', () => {
    expect(linesOf(processes.api)).toContainEqual(expect.objectContaining({ msg: 'event.ingested', level: 'debug' }));
    const claim = expect.objectContaining({ msg: 'outbox.published', claimed: 1, confirmed: 1 }) as unknown;
    expect(linesOf(processes.publisher)).toContainEqual(claim);
  });

  it('has metrics of the dependencies of each role', async () => {
    for (const role of ROLES) {
      await eventually(async () => {
        const { text } = await call(`${processes[role].url}/metrics`);
        const up = text.split('\n').filter((line) => line.startsWith('streamforge_dependency_up'));
        expect(up).toEqual(
          ['postgres', 'redis', 'rabbitmq'].map((name) => `streamforge_dependency_up{dependency="${name}"} 1`),
        );
      });
    }
  });
});
