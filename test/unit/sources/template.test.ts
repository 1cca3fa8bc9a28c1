import { compileTemplate } from '../../../src/sources/request/template';
import { TemplateError } from '../../../src/sources/request/template-parts';
import { received, type Sent } from '../../support/sources/received';

const FORM = { 'content-type': 'Application/X-WWW-Form-Urlencoded ; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json' };

function rendered(template: string, sent: Sent = {}): string | { missing: string } {
  const text = compileTemplate(template).render(received(sent));
  if ('missing' in text) return text;
  expect(text.bytes.toString()).toBe(text.text);
  return text.text;
}

const json = (body: unknown): Sent => ({
  headers: JSON_TYPE,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

describe('a template', () => {
  it.each<[string, Sent, string]>([
    ['a text }{ without parts', {}, 'a text }{ without parts'],
    ['', {}, ''],
    ['{method} {path}|{url}', { method: 'PUT', path: '/a%20b' }, 'PUT /a%20b|https://hooks.example.com/in/tok/a%20b'],
    ['{header:X-Time}:{body}', { headers: { 'x-time': '7' }, body: 'ä' }, '7:ä'],
    ['{header:x}', { headers: { x: Buffer.from('ä').toString('latin1') } }, 'ä'],
    ['{header:x}', { headers: { x: ['a', 'b'] } }, 'a, b'],
    ['{body:/a}', json('{"a":"\\ud800"}'), '\ufffd'],
    ['{header:sig/t}', { headers: { sig: 'a=1; t = 2 ,t=3' } }, '2'],
    ['{query:hub.mode}', { query: { 'hub.mode': ['a', 'b'] } }, 'a'],
    ['{sha256}', { body: 'a' }, 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
    ['{crc32}', { body: 'a' }, '3904355907'],
    ['{body:/a/0/b~1c}', json({ a: [{ 'b/c': 'x' }] }), 'x'],
    [
      '{body:/n} {body:/t} {body:/e}',
      json('{"n":12345678901234567890.10,"t":true,"e":1e3}'),
      '12345678901234567890.10 true 1e3',
    ],
    ['{body:/a}', json('{"a":1,"a":"last"}'), 'last'],
    ['{body:/__proto__/x}', json('{"__proto__":{"x":"own"}}'), 'own'],
    ['[{body:/a?}{header:x?}{query:q?}{header:x/t?}]', json({}), '[]'],
    ['[{body:/a?}]', json({ a: null }), '[]'],
    ['[{body:/a?}]', json({ a: '' }), '[]'],
    ['{lines:/c/d,/a?,/b?}', json({ a: null, b: 1.0, c: { d: 'x\ny' } }), 'd\nx\ny\nb\n1\n'],
    ['{lines:/a?}', json({}), ''],
  ])('%s', (template, sent, text) => {
    expect(rendered(template, sent)).toBe(text);
  });

  it.each<[string, Sent, string]>([
    ['{header:x}', {}, 'header:x'],
    ['{header:__proto__}', {}, 'header:__proto__'],
    ['{header:constructor}', {}, 'header:constructor'],
    ['{header:toString?}{header:y}', {}, 'header:y'],
    ['{query:__proto__}', {}, 'query:__proto__'],
    ['{header:sig/t}', { headers: { sig: 'v1=a' } }, 'header:sig/t'],
    ['{body:/a}', json({}), 'body:/a'],
    ['{body:/a}', json({ a: null }), 'body:/a'],
    ['{body:/a}', json({ a: {} }), 'body:/a'],
    ['{body:/a?}', json({ a: {} }), 'body:/a?'],
    ['{body:/a?}', json({ a: [] }), 'body:/a?'],
    ['{body:/a?}', json('{"a":'), 'body:/a?'],
    ['{body:/__proto__}', json({}), 'body:/__proto__'],
    ['{body:/constructor/name}', json({}), 'body:/constructor/name'],
    ['{body:/length}', json([]), 'body:/length'],
    ['{lines:/a,/b?}', json({ b: 1 }), 'lines:/a,/b?'],
    ['{lines:/a?}', json({ a: [1] }), 'lines:/a?'],
    ['{lines:/a,/b}', json({ a: 'a', b: 'b\nc' }), 'lines:/a,/b'],
    ['{form}', json({ a: 'b' }), 'form'],
    ['{form}', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--x--' }, 'form'],
  ])('%s names what a request lacks', (template, sent, missing) => {
    expect(rendered(template, sent)).toEqual({ missing });
  });

  it.each([
    '{}',
    '{x}',
    '{toString}',
    '{__proto__}',
    '{constructor:a}',
    '{header:}',
    '{body:a}',
    '{body:/a~2}',
    '{lines:/a,b}',
    '{secret}',
    '{Body}',
  ])('does not have the part %s', (template) => {
    expect(() => compileTemplate(`x${template}`)).toThrow(TemplateError);
  });

  it('gives the body byte by byte', () => {
    const body = Buffer.from([0, 0xff, 0xfe, 0x80]);
    expect(compileTemplate('{body}').render(received({ body }))).toHaveProperty('bytes', body);
    const behind = Buffer.concat([Buffer.from('a'), body]);
    expect(compileTemplate('a{body}').render(received({ body }))).toHaveProperty('bytes', behind);
  });
});

describe('the form of a template', () => {
  it.each([
    ['', ''],
    ['b=2&a=1', 'a1b2'],
    ['a=2&a=1&a=2', 'a1a2'],
    ['B=1&a=2&A=3', 'A3B1a2'],
    ['10=a&9=b', '10a9b'],
    ['a=%2B+%26%C3%A4', 'a+ &ä'],
    ['%C3%A4=%F0%9F%98%80&z=', 'zä😀'],
    ['__proto__=1&constructor=2', '__proto__1constructor2'],
  ])('%s', (body, text) => {
    expect(rendered('{form}', { headers: FORM, body })).toBe(text);
    expect(rendered('{form?}', { headers: FORM, body })).toBe(text);
  });

  it('is empty for a request without a body, and for other bodies where it may be', () => {
    expect(rendered('[{form}]', { method: 'GET' })).toBe('[]');
    expect(rendered('[{form?}]', json({ a: 'b' }))).toBe('[]');
  });

  it('is missing where the form cannot be read', () => {
    expect(rendered('{form?}', { headers: FORM, body: 'a=1&'.repeat(10_001) })).toEqual({ missing: 'form?' });
  });
});

describe('the decoded URL', () => {
  it('has only the characters unescaped that HubSpot names', () => {
    const url = 'https://h.example/%3A%2f%3F%40%21%24%27%28%29%2A%2C%3B%20%25%26%3D%2B%23%C3%A4?a=%2F';
    expect(rendered('{decodedUrl}', { url })).toBe("https://h.example/:/?@!$'()*,;%20%25%26%3D%2B%23%C3%A4?a=/");
    expect(rendered('{url}', { url })).toBe(url);
  });
});
