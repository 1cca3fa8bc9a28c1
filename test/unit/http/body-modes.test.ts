import type { IncomingHttpHeaders } from 'node:http';
import { mediaTypeOf, refusedBody, STREAMED_TYPES, type BodyMode } from '../../../src/http/body-modes';

const typed = (type: string, more: IncomingHttpHeaders = {}): IncomingHttpHeaders => ({
  'content-type': type,
  'content-length': '2',
  ...more,
});
const codeOf = (mode: BodyMode, headers: IncomingHttpHeaders) => refusedBody(mode, headers)?.code;
const NDJSON = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];
const XML = ['application/xml', 'text/xml'];
const CLOUD_EVENT = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const CE = { 'ce-id': '1' };

it.each([
  ['application/json', 'application/json'],
  [' Application/X-NDJSON ; charset=UTF-8; x="a;b"', 'application/x-ndjson'],
  ['application/xml;', 'application/xml'],
  [';', ''],
  ['', ''],
])('the media type of %j is %j', (header, type) => {
  expect(mediaTypeOf({ 'content-type': header })).toBe(type);
  expect(mediaTypeOf({})).toBe('');
});

it('the streamed types are NDJSON, XML and batches of CloudEvents', () => {
  expect(STREAMED_TYPES.toSorted()).toEqual([...NDJSON, ...XML, BATCH].toSorted());
});

describe('a body', () => {
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
  it.each<[BodyMode, string[]]>([
    ['parsed', ['application/json']],
    ['event', ['application/json', CLOUD_EVENT, BATCH]],
    ['stream', [...NDJSON, ...XML]],
  ])('for %s may be of no other type than %j', (mode, taken) => {
    for (const type of ALL) {
      const expected = taken.includes(type) ? undefined : 'unsupported-media-type';
      for (const written of [type, `${type.toUpperCase()}; charset=utf-8`])
        expect([type, codeOf(mode, typed(written))]).toEqual([type, expected]);
    }
  });

  it('of a binary CloudEvent may be of any type that is not streamed', () => {
    for (const type of ['application/json', 'text/plain', 'image/png', 'application/vnd.x+json'])
      expect(codeOf('event', typed(type, CE))).toBeUndefined();
    for (const type of NDJSON) expect(codeOf('event', typed(type, CE))).toBe('unsupported-media-type');
    expect(codeOf('event', typed('text/plain', { 'ce-source': 's' }))).toBe('unsupported-media-type');
    expect(codeOf('parsed', typed('text/plain', CE))).toBe('unsupported-media-type');
    expect(codeOf('stream', typed('text/plain', CE))).toBe('unsupported-media-type');
  });

  it.each<BodyMode>(['parsed', 'event', 'stream'])('for %s needs a type, unless there is none', (mode) => {
    expect(refusedBody(mode, {})).toBeNull();
    expect(refusedBody(mode, { 'content-length': '0' })).toBeNull();
    expect(codeOf(mode, { 'content-length': '1' })).toBe('unsupported-media-type');
    expect(codeOf(mode, { 'transfer-encoding': 'chunked' })).toBe('unsupported-media-type');
    expect(codeOf(mode, { 'content-length': '1', 'content-type': '' })).toBe('unsupported-media-type');
  });

  it('may be encoded only where it is a stream', () => {
    for (const encoding of ['gzip', 'br', 'rot13', '']) {
      const encoded = { 'content-encoding': encoding };
      expect(codeOf('parsed', typed('application/json', encoded))).toBe('unsupported-content-encoding');
      expect(codeOf('event', typed(CLOUD_EVENT, encoded))).toBe('unsupported-content-encoding');
      expect(codeOf('event', typed('text/plain', { ...encoded, ...CE }))).toBe('unsupported-content-encoding');
      expect(codeOf('event', typed(BATCH, encoded))).toBeUndefined(); // its decoder says whether it knows the name
      expect(codeOf('stream', typed('text/xml', encoded))).toBeUndefined();
    }
    for (const identity of ['identity', 'Identity'])
      expect(codeOf('event', typed('application/json', { 'content-encoding': identity }))).toBeUndefined();
  });

  it('that is refused is refused with 415', () => {
    expect(refusedBody('event', typed('text/csv'))).toMatchObject({
      status: 415,
      detail: expect.stringMatching(/Content-Type/) as string,
    });
  });
});
