import type { IncomingHttpHeaders } from 'node:http';
import { refusedBody, type RouteBody } from '../../../src/http/route-body';
import { EVENT_BODY, STREAM_BODY } from '../../../src/ingest/request-bodies';

const NDJSON = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
const XML = ['application/xml', 'text/xml'];
const CLOUD_EVENT = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const CE = { 'ce-id': '1' };

const PARSED = undefined; // a route without a RouteBody
const refused = (route: RouteBody | undefined, mediaType: string | undefined, headers: IncomingHttpHeaders = {}) => {
  const sent = { 'content-type': mediaType, 'content-length': '2', ...headers };
  return refusedBody({ method: 'POST', mediaType, headers: sent }, route);
};
const codeOf = (...request: Parameters<typeof refused>) => refused(...request)?.code;

describe('the body of a request', () => {
  it('is streamed when it is NDJSON, XML, a batch of CloudEvents, or perhaps an array', () => {
    for (const type of [...NDJSON, ...XML]) expect(STREAM_BODY.reading(type, {})).toBe('stream');
    expect(EVENT_BODY.reading(BATCH, {})).toBe('stream');
    expect(EVENT_BODY.reading('application/json', {})).toBe('stream-if-array');
    expect(EVENT_BODY.reading('application/json', CE)).toBe('whole'); // the data of a CloudEvent may be an array
    for (const type of [CLOUD_EVENT, 'text/plain', undefined]) expect(EVENT_BODY.reading(type, CE)).toBe('whole');
  });

  const ALL = [
    'application/json',
    CLOUD_EVENT,
    BATCH,
    ...NDJSON,
    ...XML,
    'text/plain',
    'text/csv',
    'image/png',
    'multipart/form-data',
    'application/jsonx',
    'constructor',
  ];
  it.each<[string, RouteBody | undefined, string[]]>([
    ['an admin endpoint', PARSED, ['application/json']],
    ['POST /v1/events', EVENT_BODY, ['application/json', CLOUD_EVENT, BATCH]],
    ['POST /v1/ingest/stream', STREAM_BODY, [...NDJSON, ...XML]],
  ])('is rejected by %s unless the endpoint accepts its media type', (_name, route, taken) => {
    for (const type of ALL) {
      expect([type, codeOf(route, type)]).toEqual([type, taken.includes(type) ? undefined : 'unsupported-media-type']);
    }
  });

  it('may have any media type when it is the data of a binary CloudEvent', () => {
    for (const type of ['application/json', 'text/plain', 'image/png', 'application/vnd.x+json'])
      expect(codeOf(EVENT_BODY, type, CE)).toBeUndefined();
    for (const type of [...NDJSON, 'application/xml']) {
      expect(codeOf(EVENT_BODY, type, CE)).toBeUndefined();
      expect(EVENT_BODY.reading(type, CE)).toBe('whole');
    }
    expect(codeOf(EVENT_BODY, 'text/plain', { 'ce-source': 's' })).toBe('unsupported-media-type');
    expect(codeOf(PARSED, 'text/plain', CE)).toBe('unsupported-media-type');
    expect(codeOf(STREAM_BODY, 'text/plain', CE)).toBe('unsupported-media-type');
  });

  it.each([
    ['an admin endpoint', PARSED],
    ['POST /v1/events', EVENT_BODY],
    ['POST /v1/ingest/stream', STREAM_BODY],
  ])('needs a media type at %s unless it is empty', (_name, route) => {
    expect(codeOf(route, undefined, { 'content-length': undefined })).toBeUndefined();
    expect(codeOf(route, undefined, { 'content-length': '0' })).toBeUndefined();
    expect(codeOf(route, undefined)).toBe('unsupported-media-type');
    expect(codeOf(route, undefined, { 'content-length': undefined, 'transfer-encoding': 'chunked' })).toBe(
      'unsupported-media-type',
    );
  });

  it('may have a Content-Encoding only when it holds events', () => {
    for (const encoding of ['gzip', 'br', 'rot13', '']) {
      const problem = refused(PARSED, 'application/json', { 'content-encoding': encoding });
      expect(problem?.code).toBe('unsupported-content-encoding');
      expect(problem?.extras.headers).toEqual({ 'Accept-Encoding': 'identity' });
    }
    for (const encoding of ['gzip', 'X-GZIP', 'deflate', 'br', 'zstd', 'gzip, identity', 'identity, identity']) {
      const encoded = { 'content-encoding': encoding };
      for (const type of ['application/json', CLOUD_EVENT, BATCH])
        expect(codeOf(EVENT_BODY, type, encoded)).toBeUndefined();
      expect(codeOf(EVENT_BODY, 'text/plain', { ...encoded, ...CE })).toBeUndefined();
      expect(codeOf(STREAM_BODY, 'text/xml', encoded)).toBeUndefined();
    }
    for (const identity of ['identity', 'Identity'])
      expect(codeOf(PARSED, 'application/json', { 'content-encoding': identity })).toBeUndefined();
  });

  it.each(['rot13', '', 'gzip, gzip', 'gzip;q=1', 'x'.repeat(9_000)])(
    'is rejected in the encoding %.12j with the encodings that are supported',
    (encoding) => {
      for (const [route, type] of [
        [EVENT_BODY, 'application/json'],
        [STREAM_BODY, 'application/x-ndjson'],
      ] as const) {
        const problem = refused(route, type, { 'content-encoding': encoding });
        expect(problem).toMatchObject({ status: 415, code: 'unsupported-content-encoding' });
        expect(problem?.detail).toContain(JSON.stringify(encoding.slice(0, 40)));
        expect(problem?.extras.headers).toEqual({ 'Accept-Encoding': 'gzip, deflate, br, zstd' });
      }
    },
  );

  it.each<[string, RouteBody | undefined, string | undefined, RegExp, string]>([
    ['CSV', EVENT_BODY, 'text/csv', /does not accept text\/csv\. Send application\/json, /, 'application/json'],
    ['NDJSON', EVENT_BODY, 'application/x-ndjson', /Send it to POST \/v1\/ingest\/stream\./, 'application/json'],
    ['XML', EVENT_BODY, 'text/xml', /Send it to POST \/v1\/ingest\/stream\./, 'application/json'],
    ['JSON', STREAM_BODY, 'application/json', /Send it to POST \/v1\/events\./, 'application/x-ndjson'],
    ['a CloudEvent', STREAM_BODY, CLOUD_EVENT, /Send it to POST \/v1\/events\./, 'application/x-ndjson'],
    ['a batch', STREAM_BODY, BATCH, /Send it to POST \/v1\/events\./, 'application/x-ndjson'],
    [
      'a form',
      EVENT_BODY,
      'application/x-www-form-urlencoded',
      /default of some clients, such as curl -d/,
      'application/json',
    ],
    ['a form', PARSED, 'application/x-www-form-urlencoded', /curl -d.* Send application\/json\.$/, 'application/json'],
    ['no type', EVENT_BODY, undefined, /^The body has no Content-Type\. Send application\/json, /, 'application/json'],
    ['no type', STREAM_BODY, undefined, /^The body has no Content-Type\. Send .* or text\/xml\.$/, 'text/xml'],
  ])('is rejected with a sentence that helps, and with Accept-Post: %s', (_what, route, type, detail, accepted) => {
    const problem = refused(route, type);
    expect(problem).toMatchObject({ status: 415, detail: expect.stringMatching(detail) as string });
    expect(problem?.extras.headers?.['Accept-Post']?.split(', ')).toContain(accepted);
  });

  it('names every media type in Accept-Post, and only these', () => {
    const accepted = (route?: RouteBody) => refused(route, 'text/csv')?.extras.headers?.['Accept-Post']?.split(', ');
    expect(accepted(EVENT_BODY)).toEqual(['application/json', CLOUD_EVENT, BATCH]);
    expect(accepted(STREAM_BODY)).toEqual([...NDJSON, ...XML]);
    expect(accepted()).toEqual(['application/json']);
  });

  it('is named in Accept-Patch for PATCH', () => {
    const request = { method: 'PATCH', mediaType: 'text/csv', headers: { 'content-length': '2' } };
    expect(refusedBody(request)?.extras.headers).toEqual({ 'Accept-Patch': 'application/json' });
  });

  it('repeats a bounded part of the media type', () => {
    expect(refused(EVENT_BODY, `text/${'x'.repeat(5_000)}`)?.detail.length).toBeLessThan(300);
  });

  it.each(['utf-16', 'UTF-16LE', '"utf-32"', 'ebcdic', 'shift_jis'])('is rejected in the charset %s', (charset) => {
    const type = { 'content-type': `application/json; charset=${charset}` };
    for (const route of [PARSED, EVENT_BODY])
      expect(refused(route, 'application/json', type)).toMatchObject({
        code: 'unsupported-media-type',
        detail: expect.stringMatching(/^The charset \S+ is not supported\. Send the body in UTF-8\.$/) as string,
      });
  });

  it.each(['utf-8', 'UTF8', '"utf-8"', 'us-ascii', 'ISO-8859-1', 'windows-1252'])(
    'may name the charset %s',
    (charset) => {
      const type = { 'content-type': `application/json;charset=${charset}` };
      expect(codeOf(EVENT_BODY, 'application/json', type)).toBeUndefined();
    },
  );

  it('may have any charset when it is the data of a binary CloudEvent', () => {
    const type = { 'content-type': 'text/plain; charset=utf-16', ...CE };
    expect(codeOf(EVENT_BODY, 'text/plain', type)).toBeUndefined();
  });
});
