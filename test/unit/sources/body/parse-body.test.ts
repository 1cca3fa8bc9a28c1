import { parseJson } from '../../../../src/event/json/parse-json';
import { parseBody } from '../../../../src/sources/body/parse-body';
import { jsonOfField } from '../../../../src/sources/body/form-fields';
import { BODY_LIMITS, type ReadBody } from '../../../../src/sources/body/parsed-body';

const read = (body: string | Buffer, contentType?: string): ReadBody => {
  const parsed = parseBody(Buffer.from(body as string), contentType);
  if ('rejection' in parsed) throw new Error(parsed.rejection.message);
  return parsed;
};
const valueOf = (body: string | Buffer, contentType?: string): unknown => parseJson(read(body, contentType).json);
const rejectionOf = (body: string | Buffer, contentType?: string) => {
  const parsed = parseBody(Buffer.from(body as string), contentType);
  return 'rejection' in parsed ? parsed.rejection : undefined;
};

describe('a JSON body', () => {
  it.each([
    'application/json',
    'APPLICATION/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=',
    'application/json; charset=iso-8859-1',
    'application/json; charset="utf-8',
    'text/json',
    'application/vnd.api+json',
    'application/cloudevents+json; charset=utf-8',
    'text/plain',
    'text/plain; charset=utf-8',
    undefined,
  ])('of type %s is kept as it was sent', (contentType) => {
    const text = ' {"id":12345678901234567890,"amount":10.10,"e":1e3,"a":1,"a":2,"__proto__":{"x":[]},"é":"\\u0000"}\n';
    expect(read(text, contentType)).toMatchObject({ json: text, fromJson: true });
    expect(read(`\ufeff${text}`, contentType)).toMatchObject({ json: text, fromJson: true });
  });

  it('gives its parsed value, so that nobody parses it again', () => {
    expect(read('[1,{"a":null}]', 'application/json').value).toEqual([1, { a: null }]);
  });

  it('has its own names, which JSON.parse may take from a body before', () => {
    JSON.parse('{"first":1,"\\\\":2}');
    expect(read('{"first":1,"\\u0061":2}', 'application/json').value).toStrictEqual({ first: 1, a: 2 });
    JSON.parse('{"first":1,"\\\\":2}');
    const form = { json: '{"first":1,"\\u0061":"2"}', fromJson: false };
    expect(jsonOfField(form, 'a', BODY_LIMITS)).toMatchObject({ json: '2' });
  });

  it.each(['null', '5', '"text"', 'false'])('may be a scalar: %s', (text) => {
    expect(read(text, 'application/json').json).toBe(text);
  });

  it.each([
    ['{"a":', 'The body is not valid JSON: unexpected token or end of input.'],
    ['{"a":1}}', 'The body is not valid JSON: syntax error at position 7.'],
    [' ', 'The body is not valid JSON: unexpected token or end of input.'],
    [Buffer.from('{"a":"é"}', 'latin1'), 'The JSON body is not valid UTF-8.'],
    [Buffer.from('{"a":1}', 'utf16le'), 'The body is not valid JSON: '],
  ])('that is broken is refused: %s', (text, message) => {
    const rejection = rejectionOf(text, 'application/json');
    expect(rejection?.code).toBe('malformed-body');
    expect(rejection?.message).toContain(message);
  });

  it.each(['utf-16', 'shift_jis', 'x'])('is refused in charset %s', (charset) => {
    expect(rejectionOf('{}', `application/json; charset=${charset}`)).toEqual({
      code: 'malformed-body',
      message: 'JSON must be in UTF-8, but the Content-Type has another charset.',
      errors: [],
    });
  });

  it('has at most 64 levels; brackets in strings do not count', () => {
    const nested = (levels: number, inner: string): string =>
      '[{"a":'.repeat(levels / 2) + inner + '}]'.repeat(levels / 2);
    const brackets = JSON.stringify('[{"\\"'.repeat(100));
    expect(read(nested(64, brackets), 'application/json').fromJson).toBe(true);
    expect(rejectionOf(nested(64, '[]'), 'application/json')).toMatchObject({
      code: 'invalid-event',
      message: 'The body is nested deeper than 64 levels.',
    });
    expect(valueOf(nested(66, '1'), 'text/plain')).toHaveProperty('@text');
  });
});

describe('a body without structure', () => {
  const png = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
  it.each([
    ['text', 'text/plain', 'héllo', { '@contentType': 'text/plain', '@text': 'héllo' }],
    ['a number as text', 'text/plain', '5', { '@contentType': 'text/plain', '@text': '5' }],
    ['text that begins like JSON', 'text/plain', '{x', { '@contentType': 'text/plain', '@text': '{x' }],
    [
      'text with a BOM',
      'text/csv; header=present',
      '\ufeffa',
      { '@contentType': 'text/csv; header=present', '@text': 'a' },
    ],
    ['bytes', 'image/png', png, { '@contentType': 'image/png', '@base64': 'iVBORw==' }],
    ['text with U+0000', 'text/plain', 'a\0', { '@contentType': 'text/plain', '@base64': 'YQA=' }],
    ['bytes of no type', undefined, png, { '@contentType': 'application/octet-stream', '@base64': 'iVBORw==' }],
    ['text of a type that is none', 'nonsense', 'x', { '@contentType': 'nonsense', '@text': 'x' }],
    ['JSON of another type', 'application/x-ndjson', '{}', { '@contentType': 'application/x-ndjson', '@text': '{}' }],
  ])('is %s', (_what, contentType, body, expected) => {
    expect(read(body, contentType).fromJson).toBe(false);
    expect(valueOf(body, contentType)).toEqual(expected);
  });

  it.each([
    ['iso-8859-1', Buffer.from('caf\xe9 \x80', 'latin1'), 'café €'],
    ['Windows-1252', Buffer.from('caf\xe9 \x80', 'latin1'), 'café €'],
    ['utf-16', Buffer.from('\ufeffcafé', 'utf16le'), 'café'],
    ['utf-16', Buffer.from('\ufeffcafé', 'utf16le').swap16(), 'café'],
    ['utf-16le', Buffer.from('café', 'utf16le'), 'café'],
    ['utf-16be', Buffer.from('café', 'utf16le').swap16(), 'café'],
    ['us-ascii', Buffer.from('cafe'), 'cafe'],
  ])('is decoded from %s', (charset, bytes, text) => {
    expect(valueOf(bytes, `text/plain; charset=${charset}`)).toMatchObject({ '@text': text });
  });

  it.each([
    ['utf-8', Buffer.from('caf\xe9', 'latin1')],
    ['utf-16le', Buffer.from([0, 0xd8, 65, 0])],
    ['utf-16', Buffer.from([65])],
    ['shift_jis', Buffer.from('x')],
  ])('is kept as bytes when it is not text in %s', (charset, bytes) => {
    expect(valueOf(bytes, `text/plain; charset=${charset}`)).toMatchObject({ '@base64': bytes.toString('base64') });
  });
});

it.each([
  undefined,
  '',
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=b',
  'multipart/form-data',
  'application/xml',
  'image/png',
])('an empty body of type %s is an empty object', (contentType) => {
  expect(parseBody(Buffer.alloc(0), contentType)).toEqual({ json: '{}', fromJson: false });
});

describe('JSON in a field of a form', () => {
  const field = (form: string, name: string) =>
    jsonOfField(read(form, 'application/x-www-form-urlencoded'), name, BODY_LIMITS);

  it('is the body, exactly', () => {
    expect(field('payload=%7B%22n%22%3A10.10%7D&x=1', 'payload')).toEqual({
      json: '{"n":10.10}',
      fromJson: true,
      value: { n: 10.1 },
    });
    expect(field('__proto__=1', '__proto__')).toMatchObject({ json: '1' });
  });

  it.each([
    ['x=1', 'The body has no field "payload".'],
    ['payload=1&payload=2', 'The field "payload" must be sent once, as text.'],
    ['payload=%7B', 'The field "payload" is not valid JSON: syntax error at position 1.'],
  ])('is refused: %s', (form, message) => {
    expect(field(form, 'payload')).toEqual({ rejection: { code: 'malformed-body', message, errors: [] } });
  });

  it('is refused when it is nested too deep, or when the body is no object', () => {
    expect(field(`payload=${'['.repeat(65)}${']'.repeat(65)}`, 'payload')).toMatchObject({
      rejection: { code: 'invalid-event', message: 'The field "payload" is nested deeper than 64 levels.' },
    });
    expect(jsonOfField(read('["a"]', 'application/json'), '0', BODY_LIMITS)).toHaveProperty('rejection');
    expect(field('x=1', 'toString')).toHaveProperty('rejection');
  });
});
