import type { IncomingHttpHeaders } from 'node:http';
import { refusedBody, type RouteBody } from '../../../src/http/route-body';
import { STREAMED_MEDIA_TYPES } from '../../../src/ingest/formats/stream-formats';
import { EVENT_BODY, STREAM_BODY } from '../../../src/ingest/request-bodies';

const NDJSON = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
const XML = ['application/xml', 'text/xml'];
const CLOUD_EVENT = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const CE = { 'ce-id': '1' };

const PARSED = undefined; // a route without a RouteBody
const codeOf = (route: RouteBody | undefined, mediaType: string | undefined, headers: IncomingHttpHeaders = {}) => {
  const isStreamed = mediaType !== undefined && STREAMED_MEDIA_TYPES.includes(mediaType);
  return refusedBody(mediaType, { 'content-length': '2', ...headers }, isStreamed, route)?.code;
};

describe('the body of a request', () => {
  it('is streamed when it is NDJSON, XML or a batch of CloudEvents', () => {
    expect(STREAMED_MEDIA_TYPES.toSorted()).toEqual([...NDJSON, ...XML, BATCH].toSorted());
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

  it('may have any media type that is not streamed when it is the data of a binary CloudEvent', () => {
    for (const type of ['application/json', 'text/plain', 'image/png', 'application/vnd.x+json'])
      expect(codeOf(EVENT_BODY, type, CE)).toBeUndefined();
    for (const type of NDJSON) expect(codeOf(EVENT_BODY, type, CE)).toBe('unsupported-media-type');
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

  it('may have a Content-Encoding only when it is streamed', () => {
    for (const encoding of ['gzip', 'br', 'rot13', '']) {
      const encoded = { 'content-encoding': encoding };
      expect(codeOf(PARSED, 'application/json', encoded)).toBe('unsupported-content-encoding');
      expect(codeOf(EVENT_BODY, CLOUD_EVENT, encoded)).toBe('unsupported-content-encoding');
      expect(codeOf(EVENT_BODY, 'text/plain', { ...encoded, ...CE })).toBe('unsupported-content-encoding');
      expect(codeOf(EVENT_BODY, BATCH, encoded)).toBeUndefined(); // the decoder checks the encoding later
      expect(codeOf(STREAM_BODY, 'text/xml', encoded)).toBeUndefined();
    }
    for (const identity of ['identity', 'Identity'])
      expect(codeOf(EVENT_BODY, 'application/json', { 'content-encoding': identity })).toBeUndefined();
  });

  it('is rejected with 415', () => {
    expect(refusedBody('text/csv', { 'content-length': '2' }, false, EVENT_BODY)).toMatchObject({
      status: 415,
      detail: expect.stringMatching(/Content-Type/) as string,
    });
  });
});
