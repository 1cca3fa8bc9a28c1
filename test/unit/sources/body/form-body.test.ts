import * as fc from 'fast-check';
import { parseJson } from '../../../../src/event/json/parse-json';
import { parseBody } from '../../../../src/sources/body/parse-body';
import { readFormFields } from '../../../../src/sources/body/form-body';
import { readHeaderValue, type HeaderValue } from '../../../../src/sources/body/content-type';
import { BODY_LIMITS } from '../../../../src/sources/body/parsed-body';

const FORM = 'application/x-www-form-urlencoded';
const parse = (body: string | Buffer, contentType = FORM) => parseBody(Buffer.from(body as string), contentType);
const valueOf = (body: string | Buffer, contentType = FORM): unknown => {
  const parsed = parse(body, contentType);
  return 'rejection' in parsed ? parsed : parseJson(parsed.json);
};

describe('a form', () => {
  it.each([
    ['text', 'a=1&b=x+y%20z&c=%C3%A9&d=é', { a: '1', b: 'x y z', c: 'é', d: 'é' }],
    ['repeated names as an array', 'a=1&b=2&a=3&a=1', { a: ['1', '3', '1'], b: '2' }],
    ['names with brackets as they are', 'a[]=1&b[c]=2', { 'a[]': '1', 'b[c]': '2' }],
    ['missing and empty values', 'a&b=&=c&d==e', { a: '', b: '', '': 'c', d: '=e' }],
    ['nothing between separators', '&&a=1&', { a: '1' }],
    [
      'invalid escapes as they are',
      'a=100%&b=%zz&c=%4&d=%%41&%=%E9%',
      { a: '100%', b: '%zz', c: '%4', d: '%A', '%': { '@base64': '6SU=' } },
    ],
    ['U+0000, which later checks refuse', 'a=%00', { a: '\0' }],
    ['quotes and line feeds', 'a%22%0A=%5C%22', { 'a"\n': '\\"' }],
    ['JSON as text', 'payload=%7B%22a%22%3A1%7D', { payload: '{"a":1}' }],
    ['a BOM in a value', 'a=%EF%BB%BFx', { a: '\ufeffx' }],
  ])('keeps %s', (_what, body, expected) => {
    expect(valueOf(body)).toEqual(expected);
  });

  it('keeps names such as __proto__ as ordinary members', () => {
    const parsed = parse('__proto__=1&constructor=2&toString=3&__proto__=4');
    expect(parsed).toEqual({ json: '{"__proto__":["1","4"],"constructor":"2","toString":"3"}', fromJson: false });
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it.each([
    ['iso-8859-1', 'n%e9e=%80', { née: '€' }],
    ['windows-1252', Buffer.from('a=\xe9', 'latin1'), { a: 'é' }],
    ['utf-16le', Buffer.from('a=é&b=%C3%A9', 'utf16le'), { a: 'é', b: 'é' }],
  ])('is decoded from %s', (charset, body, expected) => {
    expect(valueOf(body, `${FORM}; charset=${charset}`)).toEqual(expected);
  });

  it('keeps a value that is not text in the charset as bytes', () => {
    expect(valueOf('a=%E9&b=1')).toEqual({ a: { '@base64': '6Q==' }, b: '1' });
  });

  it.each([
    ['a=1&%E9=2', FORM, 'The name of the form field at byte 4 is not valid utf-8.'],
    [
      'a=1',
      `${FORM}; charset=x`,
      'The charset "x" is not supported for forms: use utf-8, iso-8859-1, windows-1252 and utf-16.',
    ],
    ['abc', `${FORM}; charset=utf-16`, 'The form is not valid utf-16, the charset of its Content-Type.'],
  ])('is refused: %s of type %s', (body, contentType, message) => {
    expect(parse(body, contentType)).toEqual({ rejection: { code: 'malformed-body', message, errors: [] } });
  });

  it('has at most 10,000 fields', () => {
    const form = (fields: number): string => Array.from({ length: fields }, (_, i) => `k${i}=${i}`).join('&');
    expect(Object.keys(valueOf(form(10_000)) as object)).toHaveLength(10_000);
    const refused = { code: 'invalid-event', message: 'The form has more than 10000 fields.', errors: [] };
    expect(parse(form(10_001))).toEqual({ rejection: refused });
    expect(parse('a=1&'.repeat(10_001))).toEqual({ rejection: refused });
  });

  it('comes back as it was sent, like that of a browser', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', '&', '=', '%', '+', ' ', '"', '\\'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      ),
      maxLength: 6,
    });
    const name = fc.oneof(text, fc.constantFrom('__proto__', 'a', 'b'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, text), { minLength: 1, maxLength: 12 }), (pairs) => {
        const params = new URLSearchParams(pairs);
        const groups = Map.groupBy(params, ([key]) => key);
        const expected = Object.fromEntries(
          [...groups].map(([key, all]) => [key, all.length === 1 ? all[0]?.[1] : all.map(([, value]) => value)]),
        );
        expect(valueOf(params.toString())).toEqual(expected);
        const read = readFormFields(Buffer.from(params.toString()), readHeaderValue(FORM) as HeaderValue, BODY_LIMITS);
        expect(read).toEqual({ fields: Array.from(params, ([key, value]) => ({ name: key, value })) });
      }),
    );
  });

  it('is read like a browser reads it, whatever it is', () => {
    const piece = fc.constantFrom('x', '=', '&', '%', '%4', '%41', '%C3%A9', '+', '%00', '%zz');
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 20 }), (pieces) => {
        const body = pieces.join('');
        const read = readFormFields(Buffer.from(body), readHeaderValue(FORM) as HeaderValue, BODY_LIMITS);
        expect(read).toEqual({
          fields: Array.from(new URLSearchParams(body), ([name, value]) => ({ name, value })),
        });
      }),
    );
  });
});
