import { PassThrough, Readable } from 'node:stream';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { parseSettings } from '../../../../src/config/parse-settings';
import { Problem } from '../../../../src/event/problems';
import { createFastifyAdapter } from '../../../../src/http/fastify-server';
import { KnownRoutes } from '../../../../src/http/known-routes';
import { isEncoded } from '../../../../src/http/route-body';
import { contentDecoder } from '../../../../src/ingest/decoding/content-decoder';
import { BufferBudget } from '../../../../src/runtime/buffer-budget';
import { parseBody } from '../../../../src/sources/body/parse-body';
import { dropBrokenContentType, readSourceBody, SOURCE_BODY } from '../../../../src/sources/body/read-source-body';

const MEBIBYTE = 1_048_576;
const LIMITS = { maxBytes: 100_000, stallMs: 1_000, decoder: contentDecoder };
const TEXT = Buffer.from('a=%C3%A9&'.repeat(1_000));
const ENCODERS: [string, (bytes: Buffer) => Buffer][] = [
  ['gzip', gzipSync],
  ['x-gzip', gzipSync],
  ['deflate', deflateSync],
  ['deflate', deflateRawSync],
  ['br', brotliCompressSync],
  ['zstd', zstdCompressSync],
];

/** As the server hands a body over: an encoded one as the unread stream, another one whole. */
const read = async (bytes: Buffer, headers: Record<string, string> = {}, limits = LIMITS): Promise<Buffer> =>
  readSourceBody(isEncoded(headers) ? Readable.from(bytes.length > 0 ? [bytes] : []) : bytes, headers, limits);
const decoded = async (body: Readable, encoding: string, stallMs = LIMITS.stallMs): Promise<Buffer> =>
  readSourceBody(body, { 'content-encoding': encoding }, { ...LIMITS, stallMs });
async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Problem);
  return error as Problem;
}

describe('the body of a request to a source', () => {
  it('is what was sent', async () => {
    expect((await read(TEXT)).equals(TEXT)).toBe(true);
    expect((await read(TEXT, { 'content-encoding': 'Identity' })).equals(TEXT)).toBe(true);
    expect(await read(Buffer.alloc(0))).toHaveLength(0);
    for (const none of [undefined, null, '', {}]) expect(readSourceBody(none, {}, LIMITS)).toHaveLength(0);
  });

  it.each(ENCODERS)('is decoded from %s', async (encoding, encode) => {
    expect((await read(encode(TEXT), { 'content-encoding': encoding })).equals(TEXT)).toBe(true);
    expect(await read(encode(Buffer.alloc(0)), { 'content-encoding': encoding })).toHaveLength(0);
  });

  it('may be as large as the limit, and no larger', async () => {
    const exact = Buffer.alloc(LIMITS.maxBytes, 'x');
    expect(await read(gzipSync(exact), { 'content-encoding': 'gzip' })).toHaveLength(LIMITS.maxBytes);
    const more = Buffer.alloc(LIMITS.maxBytes + 1, 'x');
    expect(await problemOf(read(gzipSync(more), { 'content-encoding': 'gzip' }))).toMatchObject({
      code: 'event-too-large',
      detail: 'The body is larger than the maximum of 100000 bytes.',
    });
  });

  it('may be incompressible and as large as the limit', async () => {
    let seed = 1;
    const noise = Buffer.from(
      Array.from({ length: LIMITS.maxBytes }, () => (seed = (seed * 16_807) % 2_147_483_647) >> 8),
    );
    for (const [encoding, encode] of ENCODERS) {
      expect((await read(encode(noise), { 'content-encoding': encoding })).equals(noise)).toBe(true);
    }
  });

  it.each(ENCODERS)('that expands to 32 MB from %s ends early', async (encoding, encode) => {
    const bomb = encode(Buffer.alloc(32 * 1_048_576));
    const before = process.memoryUsage();
    expect(
      (await problemOf(read(bomb, { 'content-encoding': encoding }, { ...LIMITS, maxBytes: 1_000_000 }))).code,
    ).toBe('event-too-large');
    const after = process.memoryUsage();
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(16 * 1_048_576);
  });

  it('that decodes to nothing for ever ends early', async () => {
    const emptyBlock = Buffer.from([0, 0, 0, 0xff, 0xff]);
    let sent = 0;
    const endless = new Readable({
      read() {
        sent += 5_000;
        setImmediate(() => this.push(Buffer.concat(Array<Buffer>(1_000).fill(emptyBlock))));
      },
    });
    const problem = await problemOf(decoded(endless, 'deflate'));
    expect(problem).toMatchObject({
      code: 'event-too-large',
      detail: 'The encoded body is larger than the maximum of 201024 bytes.',
    });
    expect(sent).toBeLessThan(1_000_000);
    endless.destroy();
  });

  it('that trickles in ends', async () => {
    const trickle = new PassThrough();
    const bytes = gzipSync(TEXT);
    let at = 0;
    const timer = setInterval(() => trickle.write(bytes.subarray(at, ++at)), 5);
    expect((await problemOf(decoded(trickle, 'gzip', 20))).code).toBe('request-timeout');
    clearInterval(timer);
  });

  it.each([
    ['gzip', TEXT, 'malformed-body'],
    ['gzip', gzipSync(TEXT).subarray(0, -1), 'malformed-body'],
    ['gzip', Buffer.alloc(0), 'malformed-body'],
    ['br', brotliCompressSync(TEXT).subarray(0, 10), 'malformed-body'],
    ['compress', TEXT, 'unsupported-content-encoding'],
    ['gzip, gzip', gzipSync(gzipSync(TEXT)), 'unsupported-content-encoding'],
  ])('that is not %s is refused', async (encoding, bytes, code) => {
    expect((await problemOf(read(bytes, { 'content-encoding': encoding }))).code).toBe(code);
  });

  it('that is cut off is refused', async () => {
    const body = new PassThrough();
    body.write(gzipSync(TEXT).subarray(0, 20));
    setTimeout(() => body.destroy(), 10);
    expect((await problemOf(decoded(body, 'gzip'))).code).toBe('malformed-body');
  });
});

describe('a route of a source', () => {
  let server: FastifyInstance;
  beforeAll(async () => {
    server = createFastifyAdapter(
      parseSettings({}),
      new KnownRoutes(),
      new BufferBudget(10_000_000),
    ).getInstance<FastifyInstance>();
    server.route({
      method: ['GET', 'POST', 'PUT'],
      url: '/in/x',
      config: SOURCE_BODY,
      onRequest: (request, _reply, done) => {
        dropBrokenContentType(request.raw.headers);
        done();
      },
      handler: async ({ body, headers }) =>
        parseBody(await readSourceBody(body, headers, LIMITS), headers['content-type']),
    });
    await server.ready();
  });
  afterAll(() => server.close());

  it.each([
    ['application/json', '{"a":1}', { json: '{"a":1}' }],
    ['application/json; charset=utf-16', '{"a":1}', { rejection: { code: 'malformed-body' } }],
    ['text/x-unheard-of', 'x', { json: '{"@contentType":"text/x-unheard-of","@text":"x"}' }],
    ['application/x-www-form-urlencoded', 'a=1', { json: '{"a":"1"}' }],
    ['nonsense', '{"a":1}', { json: '{"a":1}' }],
    ['a/b/c; d', 'x', { json: '{"@contentType":"application/octet-stream","@text":"x"}' }],
    ['', 'x', { json: '{"@contentType":"application/octet-stream","@text":"x"}' }],
    [undefined, '{"a":1}', { json: '{"a":1}' }],
  ])('takes a body of type %s', async (contentType, payload, expected) => {
    for (const method of ['POST', 'PUT'] as const) {
      const type = contentType === undefined ? {} : { 'content-type': contentType };
      const headers = { ...type, 'content-length': String(payload.length) };
      const response = await server.inject({
        method,
        url: '/in/x',
        headers,
        payload: Readable.from([Buffer.from(payload)]),
      });
      expect(response.statusCode).toBe(200);
      expect(response.json()).toMatchObject(expected);
    }
  });

  it('takes requests without a body', async () => {
    for (const method of ['GET', 'POST', 'PUT'] as const) {
      const response = await server.inject({ method, url: '/in/x', headers: { 'content-type': 'application/json' } });
      expect(response.json()).toEqual({ json: '{}', fromJson: false });
    }
  });

  it('takes a body that is larger than an event may be, up to 1 MiB', async () => {
    const headers = { 'content-type': 'text/x-unheard-of' };
    const send = (bytes: number): Promise<LightMyRequestResponse> =>
      server.inject({ method: 'POST', url: '/in/x', headers, payload: Buffer.alloc(bytes, 'x') });
    expect(parseSettings({}).MAX_EVENT_BYTES).toBeLessThan(MEBIBYTE);
    expect((await send(MEBIBYTE)).json()).toMatchObject({
      json: expect.stringContaining('x'.repeat(MEBIBYTE)) as string,
    });
    expect((await send(MEBIBYTE + 1)).statusCode).toBe(413);
  });

  it('refuses an encoding that it cannot decode before it reads the body', async () => {
    const headers = { 'content-encoding': 'compress' };
    const response = await server.inject({ method: 'POST', url: '/in/x', headers, payload: 'x' });
    expect(response.statusCode).toBe(415);
  });
});
