import { hash } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { rawExchange } from '../../support/e2e-http';
import { eventually } from '../../support/eventually';
import { useApp } from '../../support/fixtures/app';
import { givenSource, type GivenSource } from '../../support/sources';
import {
  sendWebhook,
  SIGNED_BODY,
  signatureOf,
  WEBHOOK_SECRET,
  type SentWebhook,
} from '../../support/sources/webhooks';

const FORM = 'application/x-www-form-urlencoded';
const MULTIPART = 'multipart/form-data; boundary=frontier';
const XML = 'application/xml';
const MEBIBYTE = 1_048_576;
/** Smaller than some of the bodies, which are kept whole. */
const MAX_EVENT_BYTES = 262_144;

const part = (name: string, value: string): string =>
  `--frontier\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
const nested = (depth: number): string => `${'['.repeat(depth)}1${']'.repeat(depth)}`;
const elements = (depth: number): string => `${'<a>'.repeat(depth)}1${'</a>'.repeat(depth)}`;

interface BadBody {
  what: string;
  type?: string | undefined;
  body: string | Buffer;
  /** Code of the rejection; undefined where the body becomes the payload. */
  code?: string;
  /** The payload, where it is not the body. */
  payload?: string;
}

const BODIES: BadBody[] = [
  { what: 'JSON that is cut off', body: '{"a":[1,2', code: 'malformed-body' },
  { what: 'JSON with a trailing comma', body: '{"a":1,}', code: 'malformed-body' },
  { what: 'JSON in broken UTF-8', body: Buffer.from('{"a":"\xff\xfe"}', 'latin1'), code: 'malformed-body' },
  {
    what: 'JSON in an overlong form of UTF-8',
    body: Buffer.from('{"a":"\xc0\xaf"}', 'latin1'),
    code: 'malformed-body',
  },
  { what: 'JSON with U+0000 in a text', body: '{"a":"\\u0000"}', code: 'unsupported-character' },
  { what: 'JSON with U+0000 in a name', body: '{"\\u0000":1}', code: 'unsupported-character' },
  { what: 'JSON with a lone surrogate', body: '{"a":"\\ud800"}', code: 'unsupported-character' },
  { what: 'JSON with a byte 0', body: '{"a":"\0"}', code: 'malformed-body' },
  { what: 'JSON of 1,000 levels', body: nested(1_000), code: 'invalid-event' },
  { what: 'JSON of 200,000 levels', body: nested(200_000), code: 'invalid-event' },
  { what: 'JSON that only opens', body: '['.repeat(500_000), code: 'invalid-event' },
  { what: 'JSON of white space', body: '  \n', code: 'malformed-body' },
  { what: 'JSON in another charset', type: 'application/json; charset=utf-16', body: '{}', code: 'malformed-body' },
  { what: 'XML of 1,000 levels', type: XML, body: elements(1_000), code: 'malformed-body' },
  { what: 'XML of 100,000 levels', type: XML, body: elements(100_000), code: 'malformed-body' },
  { what: 'XML that is cut off', type: XML, body: '<a><b>1</b>', code: 'malformed-body' },
  {
    what: 'XML with entities',
    type: XML,
    body: '<!DOCTYPE a [<!ENTITY b "1234567890"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>',
    code: 'malformed-body',
  },
  { what: 'multipart that is cut off', type: MULTIPART, body: part('a', '1'), code: 'malformed-body' },
  {
    what: 'multipart with another boundary',
    type: MULTIPART,
    body: '--other\r\n\r\n--other--',
    code: 'malformed-body',
  },
  { what: 'multipart without a boundary', type: 'multipart/form-data', body: part('a', '1'), code: 'malformed-body' },
  {
    what: 'multipart of 1,000 parts',
    type: MULTIPART,
    body: `${part('a', '1').repeat(1_000)}--frontier--`,
    code: 'invalid-event',
  },
  { what: 'a form of 100,000 fields', type: FORM, body: 'abc=def&'.repeat(100_000), code: 'invalid-event' },
  { what: 'a form in an unknown charset', type: `${FORM}; charset=ebcdic`, body: 'a=1', code: 'malformed-body' },
  { what: 'a form with a name in no charset', type: FORM, body: '%ff=1', code: 'malformed-body' },
  { what: 'a form with U+0000', type: FORM, body: 'a=%00', code: 'unsupported-character' },
  { what: 'a form with a name that JavaScript owns', type: FORM, body: '__proto__=1', payload: '{"__proto__":"1"}' },
  { what: 'a form with bad escapes', type: FORM, body: 'a=100%&b=%zz', payload: '{"a":"100%","b":"%zz"}' },
  { what: 'an empty body', body: '', payload: '{}' },
  {
    what: 'a Content-Type that is none',
    type: 'nonsense',
    body: '{"a":1}',
    payload: '{"a":1}',
  },
  {
    what: 'bytes',
    type: 'application/octet-stream',
    body: Buffer.from([0, 255, 1]),
    payload: '{"@contentType":"application/octet-stream","@base64":"AP8B"}',
  },
  {
    what: 'text with a byte 0',
    type: 'text/plain',
    body: 'a\0b',
    payload: '{"@contentType":"text/plain","@base64":"YQBi"}',
  },
  { what: 'a number', body: '12345678901234567890', payload: '12345678901234567890' },
  { what: 'a name twice', body: '{"a":1,"a":2}', payload: '{"a":1,"a":2}' },
  { what: 'a body after a BOM', body: '\ufeff{"a":1}', payload: '{"a":1}' },
];

const ENCODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  zstd: (bytes) => zstdCompressSync(bytes),
};

describe('a bad body', () => {
  const running = useApp({ REQUEST_STALL_TIMEOUT_MS: '1000', MAX_EVENT_BYTES: String(MAX_EVENT_BYTES) });
  let source: GivenSource;
  let distinct = 0;

  beforeAll(async () => {
    source = await givenSource(running.app, running.pool, {
      verification: SIGNED_BODY,
      secrets: [WEBHOOK_SECRET],
      // Bodies without any field of their own need a subject that tells them apart.
      mapping: { eventType: { template: 'bad.body' }, subject: { template: '{header:x-subject}' } },
    });
  });

  const send = (body: string | Buffer, sent: SentWebhook = {}) =>
    sendWebhook(`${running.url}${source.path}`, body, {
      ...sent,
      headers: { 'x-subject': `body ${(distinct += 1)}`, ...sent.headers },
    });
  const rejections = async (): Promise<number> => {
    const { rows } = await running.pool.query<{ n: number }>('select count(*)::int as n from rejections');
    return (rows[0] as { n: number }).n;
  };

  it.each(BODIES)('is answered 200: $what', async ({ type = 'application/json', body, code, payload }) => {
    const before = await rejections();
    const answer = await send(body, { headers: { 'content-type': type } });
    expect([answer.status, answer.text]).toEqual([200, expect.any(String)]);
    if (code === undefined) {
      expect(answer.body.status).toBe('accepted');
      const read = await running.http.get(`/v1/events/${answer.body.id}`).set('X-Tenant-Id', 'acme');
      expect(read.text).toContain(`"payload":${payload}`);
      expect(await rejections()).toBe(before);
      return;
    }
    expect(answer.body).toMatchObject({ status: 'rejected', errors: [{ code }] });
    const { rows } = await running.pool.query<{ body: Buffer; digest: Buffer }>(
      'select body, digest, size_bytes, content_type, code, source_id from rejections where id = $1',
      [answer.body.rejectionId],
    );
    const bytes = Buffer.from(body);
    expect(rows).toMatchObject([{ size_bytes: bytes.length, content_type: type, code, source_id: source.row.id }]);
    expect(rows[0]?.body.equals(bytes)).toBe(true);
    expect(rows[0]?.digest.equals(hash('sha256', bytes, 'buffer'))).toBe(true);
  });

  it('that is too large is refused with 413 before it is read, and a field of 10 MB is', async () => {
    const form = `a=${'x'.repeat(10 * MEBIBYTE)}`;
    const multipart = `${part('a', 'x'.repeat(10 * MEBIBYTE))}--frontier--`;
    const json = `{"a":"${'x'.repeat(10 * MEBIBYTE)}"}`;
    for (const [type, body] of [
      [FORM, form],
      [MULTIPART, multipart],
      ['application/json', json],
    ] as const) {
      const answer = await send(body, { headers: { 'content-type': type } });
      expect([answer.status, answer.body.code]).toEqual([413, 'event-too-large']);
    }
  });

  it.each(Object.entries(ENCODERS))(
    'of 128 MB in %s is refused with 413 within bounded memory',
    async (coding, encode) => {
      const bomb = encode(Buffer.alloc(128 * MEBIBYTE, ' '));
      expect(bomb.length).toBeLessThan(MEBIBYTE);
      const before = process.memoryUsage().rss;
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => send('', { wire: bomb, headers: { 'content-encoding': coding } })),
      );
      expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
        answers.map(() => [413, 'event-too-large']),
      );
      expect((process.memoryUsage().rss - before) / MEBIBYTE).toBeLessThan(200);
    },
  );

  it.each(Object.entries(ENCODERS))('in %s is decoded before its signature is checked', async (coding, encode) => {
    const body = '{"n":12345678901234567890}';
    const wire = encode(Buffer.from(body));
    const headers = { 'content-encoding': coding };
    const answer = await send(body, { wire, headers });
    expect([answer.status, answer.body.status]).toEqual([200, 'accepted']);
    const cut = await send(body, { wire: wire.subarray(0, -4), headers });
    expect([cut.status, cut.body.code]).toEqual([400, 'malformed-body']);
    const garbage = await send(body, { wire: Buffer.from('no such coding'), headers });
    expect([garbage.status, garbage.body.code]).toEqual([400, 'malformed-body']);
  });

  it('in an unknown encoding is refused with 415', async () => {
    for (const coding of ['compress', 'gzip, gzip', 'br, gzip']) {
      const answer = await send('{}', { headers: { 'content-encoding': coding } });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported-content-encoding']);
    }
  });

  it('is none in a GET, whose query can be mapped', async () => {
    const url = `${running.url}${source.path}?a=1&a=2&__proto__=x&%00=%00`;
    const answer = await sendWebhook(url, '', {
      method: 'GET',
      headers: { 'x-subject': 'a GET', 'content-type': undefined },
    });
    expect([answer.status, answer.body.status]).toEqual([200, 'accepted']);
  });

  it.each([
    ['a byte 0', '/%00'],
    ['dots', '/a/../b'],
    ['slashes', '//'],
    ['an escaped slash', '/a%2Fb'],
    ['2,000 characters', `/${'x'.repeat(2_000)}`],
    ['a query that cannot be decoded', '?x=%ff&y=%zz'],
  ])('is taken at any path below the URL: %s', async (subject, suffix) => {
    const answer = await rawExchange(running.url, rawRequest(`${source.path}${suffix}`, `"${suffix}"`, subject));
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 200 OK');
    const { rows } = await running.pool.query(
      `select r.request ->> 'path' as path from received_requests r join events e on e.request_id = r.id
          where e.subject = $1`,
      [subject],
    );
    expect(rows).toEqual([{ path: suffix.split('?')[0] }]);
  });

  it.each(['/%ff', '/%zz'])('at a path that cannot be decoded is refused with 404: %s', async (suffix) => {
    const answer = await rawExchange(running.url, rawRequest(`${source.path}${suffix}`, '{}', 'nowhere'));
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 404 Not Found');
    expect(answer).not.toContain(source.token);
  });

  it('with two Content-Types or two lengths is refused with 400', async () => {
    const lines = (extra: string): string => rawRequest(source.path, '{}', 'two', extra);
    for (const extra of ['Content-Type: text/plain', 'Content-Length: 1', 'Transfer-Encoding: chunked']) {
      const answer = await rawExchange(running.url, lines(extra));
      expect([extra, answer.split('\r\n')[0]]).toEqual([extra, 'HTTP/1.1 400 Bad Request']);
      expect(answer).toContain('"invalid-request"');
    }
  });

  it('that is shorter than its Content-Length leaves nothing behind', async () => {
    const before = await rejections();
    const { hostname, port } = new URL(running.url);
    const request = rawRequest(source.path, '{"a":1}', 'short').replace('Content-Length: 7', 'Content-Length: 70');
    const socket = connect(Number(port), hostname, () => socket.end(request));
    socket.on('error', () => undefined);
    await new Promise((resolve) => socket.resume().once('close', resolve));
    await sleep(50);
    const { rows } = await running.pool.query(`select from events where subject = 'short'`);
    expect([rows.length, await rejections()]).toEqual([0, before]);
  });

  it('that stalls is answered 408', async () => {
    const request = rawRequest(source.path, '{"a":1}', 'stalled').replace('Content-Length: 7', 'Content-Length: 70');
    const answer = await rawExchange(running.url, request);
    expect(answer.split('\r\n')[0]).toBe('HTTP/1.1 408 Request Timeout');
    expect(answer).toContain('"request-timeout"');
  });

  it('never keeps the process from answering others', async () => {
    await eventually(async () => expect((await running.http.get('/ready')).status).toBe(200));
  });
});

function rawRequest(path: string, body: string, subject: string, extra?: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `X-Signature: ${signatureOf(body)}`,
    `X-Subject: ${subject}`,
    ...(extra === undefined ? [] : [extra]),
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
