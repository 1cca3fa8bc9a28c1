import { request, type OutgoingHttpHeaders } from 'node:http';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { useApp } from '../../support/fixtures/app';
import { call, expectProblem, getEvent, type AcceptedAnswer, type StreamEndpoint } from '../../support/e2e-http';
import { eventBody } from '../../support/events';

const MAX_EVENT = 4_096;
const MAX_STREAM = 300_000;
const JSON_TYPE = { 'content-type': 'application/json' };
const ENCODERS: [string, (text: string) => Buffer][] = [
  ['gzip', (text) => gzipSync(text)],
  ['x-gzip', (text) => gzipSync(text)],
  ['deflate', (text) => deflateSync(text)],
  ['br', (text) => brotliCompressSync(text)],
  ['zstd', (text) => zstdCompressSync(text)],
];

const event = (eventId: string, payload = `"${eventId}"`) =>
  `{"eventId":"${eventId}","eventType":"x","subject":"s","payload":${payload}}`;

describe('POST /v1/events', () => {
  const running = useApp({
    MAX_EVENT_BYTES: String(MAX_EVENT),
    STREAM_MAX_BYTES: String(MAX_STREAM),
    REQUEST_STALL_TIMEOUT_MS: '3000',
  });

  const send = <T = StreamEndpoint>(
    tenant: string,
    body: string | Buffer | Readable,
    headers: OutgoingHttpHeaders = {},
  ) =>
    call<T>(`${running.url}/v1/events`, {
      method: 'POST',
      headers: { ...JSON_TYPE, 'x-tenant-id': tenant, ...headers },
      body,
    });
  const countsOf = ({ status, body: { summary: s } }: Awaited<ReturnType<typeof send<StreamEndpoint>>>) => [
    status,
    s.records,
    s.accepted,
    s.duplicates,
    s.rejected,
  ];
  const storedFor = async (tenant: string): Promise<number> =>
    (await running.pool.query('select from events where tenant_id = $1', [tenant])).rowCount ?? 0;

  describe('with an array of events', () => {
    it('answers like a stream: 202, 207 and 422', async () => {
      const body = `[${event('1')}, ${event('2', '10.10')}]`;
      const all = await send('array', body);
      expect(countsOf(all)).toEqual([202, 2, 2, 0, 0]);
      expect(all.body).toMatchObject({ status: 'accepted', errors: [], summary: { bytes: body.length } });
      expect((await getEvent(running.url, 'array', '2')).text).toContain('"payload":10.10');
      const some = await send('array', `\ufeff \n[${event('3')},${event('1')},{"event_type":"x"}, 7 ]\n`);
      expect(countsOf(some)).toEqual([207, 4, 1, 1, 2]);
      expect(some.body.errors).toMatchObject([
        { record: 3, code: 'invalid-event' },
        { record: 4, code: 'invalid-event' },
      ]);
      const none = await send('array', '[{}]');
      expect([...countsOf(none), none.body.code]).toEqual([422, 1, 0, 0, 1, 'stream-rejected']);
      expect(countsOf(await send('array', '[]'))).toEqual([202, 0, 0, 0, 0]);
    });

    it('has the limits of a stream: many events of one event’s size', async () => {
      const body = `[${Array.from({ length: 60 }, (_, n) => event(`large-${n}`, `"${n}${'x'.repeat(3_000)}"`)).join(',')}]`;
      expect(body.length).toBeGreaterThan(10 * MAX_EVENT);
      expect(countsOf(await send('large', body))).toEqual([202, 60, 60, 0, 0]);
      expect(countsOf(await send('large', Readable.from(body.match(/[^]{1,7000}/g) as string[])))).toEqual([
        202, 60, 0, 60, 0,
      ]);
      const one = await send('large', `[${event('a')},${event('b', `"${'x'.repeat(MAX_EVENT)}"`)}]`);
      expect(one.body.errors).toMatchObject([{ record: 2, code: 'event-too-large' }]);
      const problem = expectProblem(
        await send('large', `[${event('c')},"${'x'.repeat(MAX_STREAM)}"]`),
        413,
        'stream-too-large',
      );
      expect(problem).toMatchObject({ lastCommittedRecord: 1, summary: { accepted: 1 } });
    });

    it('has the key `key#n` for record n', async () => {
      const key = { 'idempotency-key': 'upload' };
      expect(countsOf(await send('keyed', `[${event('1')},${event('2')}]`, key))).toEqual([202, 2, 2, 0, 0]);
      expect(countsOf(await send('keyed', `[${event('1')},${event('2')}]`, key))).toEqual([202, 2, 0, 2, 0]);
      expect((await send('keyed', event('2'), { 'idempotency-key': 'upload#2' })).status).toBe(200);
    });

    it('is malformed-body when it breaks, and what came before it stays', async () => {
      const problem = expectProblem(await send('cut', `[${event('1')},{"eventId":`), 400, 'malformed-body');
      expect(problem.lastCommittedRecord).toBe(1);
      expect(await storedFor('cut')).toBe(1);
    });

    it('gets 408 when it stalls', async () => {
      const stalling = new Readable({ read: () => undefined });
      stalling.push(`[${event('1')},`);
      const answer = await send('stalled', stalling);
      expect(expectProblem(answer, 408, 'request-timeout').lastCommittedRecord).toBe(1);
    });

    it('gets a line per record while it is still being sent', async () => {
      const headers = { ...JSON_TYPE, 'x-tenant-id': 'lines', accept: 'application/x-ndjson' };
      const outgoing = request(`${running.url}/v1/events`, { method: 'POST', headers, agent: false });
      outgoing.write(`[${event('1')},`);
      const response = await new Promise<Readable>((resolve) => outgoing.on('response', resolve));
      const lines = createInterface({ input: response })[Symbol.asyncIterator]();
      const next = async () => JSON.parse(String((await lines.next()).value)) as Record<string, unknown>;
      expect(await next()).toMatchObject({ record: 1, status: 'accepted', eventId: '1' });
      outgoing.end('{}]');
      expect(await next()).toMatchObject({ record: 2, status: 'rejected' });
      expect(await next()).toMatchObject({ summary: { records: 2, accepted: 1, rejected: 1 } });
    });

    it('is not taken from the data of a CloudEvent', async () => {
      const headers = { 'ce-specversion': '1.0', 'ce-id': 'ce', 'ce-type': 't', 'ce-source': '/s' };
      expect((await send<AcceptedAnswer>('data', '[1, 2]', headers)).body).toMatchObject({ eventId: 'ce' });
      const structured = await send('data', '[]', { 'content-type': 'application/cloudevents+json' });
      expectProblem(structured, 400, 'invalid-event');
    });
  });

  describe.each(ENCODERS)('with an encoded body (%s)', (encoding, encode) => {
    const encoded = { 'content-encoding': encoding };

    it('takes an event, exactly as it was sent', async () => {
      const tenant = `one-${encoding}`;
      const answer = await send<AcceptedAnswer>(tenant, encode(event('1', '{ "price": 10.10 }')), encoded);
      expect([answer.status, answer.headers.location]).toEqual([202, `/v1/events/${answer.body.id}`]);
      expect((await getEvent(running.url, tenant, '1')).text).toContain('"payload":{ "price": 10.10 }');
      expect((await send(tenant, event('1', '{ "price": 10.10 }'))).status).toBe(200);
    });

    it('takes an array, a CloudEvent in each mode and a batch', async () => {
      const tenant = `many-${encoding}`;
      const array = `[${Array.from({ length: 60 }, (_, n) => event(`${n}`, `"${n}${'x'.repeat(3_000)}"`)).join(',')}]`;
      const answer = await send(tenant, encode(array), encoded);
      expect(countsOf(answer)).toEqual([202, 60, 60, 0, 0]);
      expect(answer.body.summary.bytes).toBe(array.length);
      const cloudEvent = JSON.stringify({ specversion: '1.0', id: 'ce', type: 't', source: '/s', data: 1 });
      const structured = { ...encoded, 'content-type': 'application/cloudevents+json' };
      expect((await send<AcceptedAnswer>(tenant, encode(cloudEvent), structured)).body.eventId).toBe('ce');
      const binary = { 'ce-specversion': '1.0', 'ce-id': 'bin', 'ce-type': 't', 'ce-source': '/s' };
      expect((await send<AcceptedAnswer>(tenant, encode('[1]'), { ...encoded, ...binary })).status).toBe(202);
      expect((await getEvent(running.url, tenant, 'bin')).body.payload).toEqual([1]);
      const batch = { ...encoded, 'content-type': 'application/cloudevents-batch+json' };
      expect(countsOf(await send(tenant, encode(`[${cloudEvent}]`), batch))).toEqual([202, 1, 0, 1, 0]);
    });

    it('refuses an event whose decoded size is over the limit, however large it is', async () => {
      const tenant = `bomb-${encoding}`;
      const bomb = encode(event('1', `"${'x'.repeat(50_000_000)}"`));
      expectProblem(await send(tenant, bomb, encoded), 413, 'event-too-large');
      expectProblem(await send(tenant, encode(' '.repeat(50_000_000)), encoded), 413, 'event-too-large');
      const array = encode(`[${event('1')},"${'x'.repeat(50_000_000)}"]`);
      expectProblem(await send(tenant, array, encoded), 413, 'stream-too-large');
      const largest = event('2', '""').replace('""', `"${'y'.repeat(MAX_EVENT - event('2', '""').length)}"`);
      expect((await send(tenant, encode(largest), encoded)).status).toBe(202);
      expectProblem(await send(tenant, encode(largest.replace('y', 'yy')), encoded), 413, 'event-too-large');
    });

    it('is malformed-body when it is truncated, is not of that encoding, or has rubbish after its end', async () => {
      const whole = encode(event('1', JSON.stringify(eventBody())));
      for (const body of [whole.subarray(0, -6), 'nonsense', Buffer.concat([whole, Buffer.from('rubbish')])])
        expectProblem(await send(`broken-${encoding}`, body, encoded), 400, 'malformed-body');
      expect(await storedFor(`broken-${encoding}`)).toBe(0);
    });
  });

  it('refuses an unknown encoding and names those that it knows', async () => {
    for (const encoding of ['rot13', 'gzip, br']) {
      const answer = await send('unknown', event('1'), { 'content-encoding': encoding });
      expect(expectProblem(answer, 415, 'unsupported-content-encoding').detail).toContain(JSON.stringify(encoding));
      expect(answer.headers['accept-encoding']).toBe('gzip, deflate, br, zstd');
    }
  });

  it('gets 408 when an encoded body stalls', async () => {
    const stalling = new Readable({ read: () => undefined });
    stalling.push(gzipSync(event('1')).subarray(0, 12));
    expectProblem(await send('stalled', stalling, { 'content-encoding': 'gzip' }), 408, 'request-timeout');
  });
});
