import { hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { eventBody } from '../../support/events';
import { eventually } from '../../support/eventually';
import { call, type AcceptedAnswer, type ProblemAnswer } from '../../support/e2e-http';
import { useApp } from '../../support/fixtures/app';
import { rejectionsOf } from '../../support/rejections';

const JSON_TYPE = { 'content-type': 'application/json' };
const CLOUD_EVENT = { 'content-type': 'application/cloudevents+json' };
const BINARY = {
  ...{ 'content-type': 'text/plain', 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': '/shop', 'ce-type': 'sale' },
  'ce-time': 'never',
};
/** Name → headers, bytes, code, type. */
const REFUSED: Record<string, [Record<string, string>, Buffer | string, string, string | null]> = {
  'an event without a subject': [JSON_TYPE, '{"eventType":"sale","payload":10.10}', 'invalid-event', 'sale'],
  'an event of a legacy type': [JSON_TYPE, ' {"type":"sale","entityId":7,"payload":1}\n', 'invalid-event', 'sale'],
  'what is not JSON': [JSON_TYPE, '{"eventType":"sale",', 'malformed-body', null],
  'what is not UTF-8': [JSON_TYPE, Buffer.from('7b22ff00fe7d', 'hex'), 'malformed-body', null],
  'an empty body': [JSON_TYPE, '', 'malformed-body', null],
  'a text with U+0000': [
    JSON_TYPE,
    '{"eventType":"sale","subject":"s","payload":"\\u0000"}',
    'unsupported-character',
    'sale',
  ],
  'a type with U+0000': [
    JSON_TYPE,
    '{"eventType":"\\u0000","subject":"s","payload":1}',
    'unsupported-character',
    '\ufffd',
  ],
  'a deep payload': [
    JSON_TYPE,
    `{"eventType":"sale","subject":"s","payload":${'['.repeat(65)}${']'.repeat(65)}}`,
    'invalid-event',
    'sale',
  ],
  'a CloudEvent without an id': [CLOUD_EVENT, '{"specversion":"1.0","type":"sale","data":1}', 'invalid-event', 'sale'],
  'a binary CloudEvent': [BINARY, 'plain text', 'invalid-event', 'sale'],
};

describe('a single event that is refused', () => {
  const running = useApp();
  const send = <T = ProblemAnswer & { kept?: boolean }>(
    tenant: string,
    body: Buffer | string,
    headers: Record<string, string>,
  ) =>
    call<T>(`${running.url}/v1/events`, {
      method: 'POST',
      headers: { 'x-tenant-id': tenant, 'content-length': String(Buffer.byteLength(body)), ...headers },
      body: Buffer.from(body),
    });

  it.each(Object.entries(REFUSED))('is kept byte for byte: %s', async (name, [headers, body, code, eventType]) => {
    const tenant = name.replaceAll(/[^a-z]/gi, '-');
    const answer = await send(tenant, body, headers);
    expect(answer.body).toMatchObject({ code });
    expect(answer.body).not.toHaveProperty('kept');
    const bytes = Buffer.from(body);
    await expect(rejectionsOf(running.pool, tenant)).resolves.toEqual([
      expect.objectContaining({
        ...{
          endpoint: 'event',
          code,
          eventType,
          status: 'OPEN',
          recordNumber: null,
          conflictsWith: null,
          sourceId: null,
        },
        ...{ contentType: headers['content-type'], correlationId: answer.headers['x-correlation-id'] },
        ...{ body: bytes, sizeBytes: bytes.length, digest: hash('sha256', bytes) },
      }),
    ]);
  });

  it('is kept with the headers that are needed to read it again, and with no others', async () => {
    const headers = { ...BINARY, 'idempotency-key': 'k-1', authorization: 'Bearer secret', cookie: 'a=b' };
    await send('headers', 'plain text', headers);
    const [kept] = await rejectionsOf(running.pool, 'headers');
    expect(kept).toMatchObject({ format: 'cloudevent-binary', requestKey: 'k-1', pointer: '/time' });
    expect(JSON.parse(kept?.requestJson ?? '')).toMatchObject({
      ...{ method: 'POST', path: '/v1/events', query: {} },
      headers: { ...BINARY, 'idempotency-key': 'k-1' },
    });
    expect(kept?.requestJson).not.toMatch(/secret|a=b/);
  });

  it.each([
    ['idempotency-key-reused', {}, 'one'],
    ['event-id-conflict', { eventId: 'sale-1' }, undefined],
  ])('with the code %s is kept with the event that it conflicts with', async (code, fields, key) => {
    const headers = { ...JSON_TYPE, ...(key === undefined ? {} : { 'idempotency-key': key }) };
    const first = await send<AcceptedAnswer>(code, JSON.stringify(eventBody({ ...fields, payload: 1 })), headers);
    const body = JSON.stringify(eventBody({ ...fields, payload: 2 }));
    expect((await send(code, body, headers)).body).toMatchObject({ code });
    await expect(rejectionsOf(running.pool, code)).resolves.toEqual([
      expect.objectContaining({
        ...{ code, conflictsWith: first.body.id, eventType: 'order.paid', body: Buffer.from(body), format: 'event' },
        requestKey: key ?? null,
      }),
    ]);
  });

  it.each<[string, Record<string, string>]>([
    ['with a key that is too long', { ...JSON_TYPE, 'idempotency-key': 'k'.repeat(256) }],
    ['with two keys', { ...JSON_TYPE, 'idempotency-key': 'one', 'x-idempotency-key': 'two' }],
    ['of a media type that is not accepted', { 'content-type': 'text/html' }],
    ['in UTF-16', { 'content-type': 'application/json; charset=utf-16' }],
    ['of a stream', { 'content-type': 'application/x-ndjson' }],
    ['compressed, of a media type that is not accepted', { 'content-type': 'text/csv', 'content-encoding': 'gzip' }],
  ])('is kept byte for byte when its headers are refused: %s', async (name, headers) => {
    const tenant = name.replaceAll(/[^a-z]/gi, '-');
    const bytes = Buffer.from(' {"eventType":"sale"} ');
    const answer = await send(tenant, headers['content-encoding'] ? gzipSync(bytes) : bytes, headers);
    expect(answer.body.code).toMatch(/^(idempotency-key-invalid|unsupported-media-type)$/);
    expect(answer.body).not.toHaveProperty('kept');
    await expect(rejectionsOf(running.pool, tenant)).resolves.toMatchObject([
      { code: answer.body.code, body: bytes, endpoint: 'event', format: 'event', requestKey: null },
    ]);
  });

  it('is kept with its key when its media type is refused, also by the endpoint of streams', async () => {
    const headers = { ...JSON_TYPE, 'idempotency-key': 'k-2', 'x-tenant-id': 'wrong-endpoint' };
    const answer = await call<ProblemAnswer>(`${running.url}/v1/ingest/stream`, { method: 'POST', headers, body: '7' });
    expect(answer.body).toMatchObject({ status: 415 });
    expect(answer.body).not.toHaveProperty('kept');
    await expect(rejectionsOf(running.pool, 'wrong-endpoint')).resolves.toMatchObject([
      { code: 'unsupported-media-type', body: Buffer.from('7'), endpoint: 'stream', requestKey: 'k-2' },
    ]);
  });

  it('is not kept, and its response says so, when it is refused for its headers and cannot be read whole', async () => {
    const invalid = { 'idempotency-key': '' };
    const html = { 'content-type': 'text/html' };
    const gzip = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    for (const [body, headers] of [
      ['x'.repeat(300_000), html],
      ['x'.repeat(300_000), { ...JSON_TYPE, ...invalid }],
      ['[{}]', { ...JSON_TYPE, ...invalid }],
      [gzipSync('[{}]'), { ...gzip, ...invalid }],
      [gzipSync('x'.repeat(300_000)), { ...gzip, ...invalid }],
      [gzipSync('{}').subarray(0, 15), { ...gzip, ...invalid }],
      [gzipSync('{}').subarray(0, 15), gzip],
      ['{}', { 'content-type': 'nonsense' }],
    ] as const) {
      expect((await send('unread', body, headers)).body).toMatchObject({ kept: false });
    }
    await expect(rejectionsOf(running.pool, 'unread')).resolves.toEqual([]);
  });

  it('of an unknown tenant, or that can be sent again as it is, is not kept', async () => {
    await send('-', '{', JSON_TYPE);
    await send('-', '{', { 'content-type': 'text/html' });
    await send('again', '{', { ...JSON_TYPE, accept: 'application/json;q=0' });
    await send('again', '{', { ...JSON_TYPE, 'content-encoding': 'rot13' });
    const { rows } = await running.pool.query("select from rejections where tenant_id in ('-', 'again')");
    expect(rows).toEqual([]);
  });

  it('is answered with "kept": false while PostgreSQL does not store rejections; events are accepted', async () => {
    const locker = await running.pool.connect();
    try {
      await locker.query('begin; lock table rejections');
      const refused = await send('locked', '{', JSON_TYPE);
      expect(refused.body).toMatchObject({ status: 400, code: 'malformed-body', kept: false });
      expect((await send('locked', JSON.stringify(eventBody()), JSON_TYPE)).status).toBe(202);
    } finally {
      await locker.query('rollback');
      locker.release();
    }
    await eventually(async () => expect((await send('locked', '{', JSON_TYPE)).body).not.toHaveProperty('kept'));
    const metrics = await call(`${running.url}/metrics`);
    expect(metrics.text).toMatch(/streamforge_rejections_total\{endpoint="event",kept="false"\} [1-9]/);
    expect(metrics.text).toMatch(/streamforge_rejections_total\{endpoint="event",kept="true"\} [1-9]/);
  });
});
