import * as fc from 'fast-check';
import { parseJson } from '../../../../src/event/json/parse-json';
import { parseBody } from '../../../../src/sources/body/parse-body';

const TYPE = 'multipart/form-data; boundary=b';
const parse = (body: string | Buffer, contentType = TYPE) => parseBody(Buffer.from(body as string), contentType);
const valueOf = (body: string | Buffer, contentType = TYPE): unknown => {
  const parsed = parse(body, contentType);
  return 'rejection' in parsed ? parsed : parseJson(parsed.json);
};
const part = (headers: string, content: string): string => `--b\r\n${headers}\r\n\r\n${content}\r\n`;
const field = (name: string, content: string): string =>
  part(`Content-Disposition: form-data; name="${name}"`, content);
const END = '--b--\r\n';
/** What browsers send. */
async function ofBrowser(form: FormData): Promise<[Buffer, string]> {
  const response = new Response(form);
  return [Buffer.from(await response.arrayBuffer()), response.headers.get('content-type') as string];
}

describe('a multipart body', () => {
  it('is an object of strings; a repeated name is an array, and a file an object', async () => {
    const form = new FormData();
    form.append('sender', 'bob@example.com');
    form.append('text', 'Grüße\r\n--b\r\n');
    form.append('to', 'a');
    form.append('to', 'b');
    form.append('log', new File(['line 1\n'], 'log "1".txt', { type: 'text/plain' }));
    form.append('image', new File([Buffer.from([0x89, 0x50])], 'ü.png', { type: 'image/png' }));
    form.append('__proto__', 'x');
    const parsed = parseBody(...(await ofBrowser(form)));
    expect(parsed).toMatchObject({ fromJson: false });
    expect(Object.entries(parseJson((parsed as { json: string }).json) as object)).toEqual([
      ['sender', 'bob@example.com'],
      ['text', 'Grüße\r\n--b\r\n'],
      ['to', ['a', 'b']],
      ['log', { '@filename': 'log %221%22.txt', '@contentType': 'text/plain', '@text': 'line 1\n' }],
      ['image', { '@filename': 'ü.png', '@contentType': 'image/png', '@base64': 'iVA=' }],
      ['__proto__', 'x'],
    ]);
  });

  it.each([
    ['a preamble and an epilogue', `Preamble\r\n${field('a', '1')}${END}Epilogue`, { a: '1' }],
    ['no parts', END, {}],
    ['no line break after the last boundary', field('a', '1') + '--b--', { a: '1' }],
    ['an empty value', field('a', ''), { a: '' }],
    ['an unquoted name', part('content-disposition:form-data;name=a', '1'), { a: '1' }],
    ['an escaped quote in a name', field('a\\"b\\\\', '1'), { 'a"b\\': '1' }],
    ['a name in UTF-8', field('é', '1'), { é: '1' }],
    [
      'a charset',
      part('Content-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=utf-16le', 'a\0'),
      { a: 'a' },
    ],
    ['U+0000 in a text, which later checks refuse', field('a', '\0'), { a: '\0' }],
    [
      'a file input without a file',
      part('Content-Disposition: form-data; name="a"; filename=""\r\nContent-Type: application/octet-stream', ''),
      { a: { '@filename': '', '@contentType': 'application/octet-stream', '@text': '' } },
    ],
    [
      'a Windows path as file name',
      part('Content-Disposition: form-data; name="a"; filename="C:\\dir\\f.txt"', '1'),
      { a: { '@filename': 'C:\\dir\\f.txt', '@contentType': 'text/plain', '@text': '1' } },
    ],
    [
      'an extended file name',
      part("Content-Disposition: form-data; name=a; filename*=utf-8''f", '1'),
      { a: { '@filename': "utf-8''f", '@contentType': 'text/plain', '@text': '1' } },
    ],
  ])('may have %s', (_what, body, expected) => {
    expect(valueOf(body.includes('--b--') ? body : body + END)).toEqual(expected);
  });

  it('keeps a text that is not in the charset of its part as bytes', () => {
    const latin = Buffer.from(field('a', '\xe9') + END, 'latin1');
    expect(valueOf(latin)).toEqual({ a: { '@contentType': 'text/plain', '@base64': '6Q==' } });
    const unknown = part('Content-Disposition: form-data; name=a\r\nContent-Type: text/plain; charset=x', 'é') + END;
    expect(valueOf(unknown)).toEqual({ a: { '@contentType': 'text/plain; charset=x', '@base64': 'w6k=' } });
  });

  const incomplete = 'The body is incomplete. It ends before its last boundary.';
  const nameless = 'Part 2 of the body has no valid Content-Disposition header with a name.';
  it.each([
    [
      'no boundary in the type',
      field('a', '1') + END,
      'multipart/form-data',
      'The Content-Type must have a boundary of 1 to 70 characters.',
    ],
    [
      'a boundary that is too long',
      END,
      `multipart/form-data; boundary=${'x'.repeat(71)}`,
      'The Content-Type must have a boundary of 1 to 70 characters.',
    ],
    [
      'an unterminated boundary',
      END,
      'multipart/form-data; boundary="b',
      'The Content-Type must have a boundary of 1 to 70 characters.',
    ],
    [
      'another boundary',
      field('a', '1') + END,
      'multipart/form-data; boundary=c',
      'The boundary of the Content-Type does not occur in the body.',
    ],
    ['line feeds only', (field('x', '1') + field('a', '1') + END).replaceAll('\r', ''), TYPE, incomplete],
    ['a missing end', field('a', '1'), TYPE, incomplete],
    ['half a last boundary', field('a', '1') + '--b-', TYPE, incomplete],
    ['a part without headers', `${field('a', '1')}--b\r\n\r\n2\r\n${END}`, TYPE, nameless],
    ['a part without a name', field('a', '1') + part('Content-Disposition: form-data', '2') + END, TYPE, nameless],
    [
      'a part of another disposition',
      field('a', '1') + part('Content-Disposition: file; name=x', '2') + END,
      TYPE,
      nameless,
    ],
    [
      'an unterminated name',
      field('a', '1') + part('Content-Disposition: form-data; name="x', '2') + END,
      TYPE,
      nameless,
    ],
    ['a line break in a name', field('a', '1') + field('x\ny', '2') + END, TYPE, nameless],
    [
      'headers without an end',
      `${field('a', '1')}--b\r\nContent-Disposition: form-data; name=x\r\n${END}`,
      TYPE,
      'Part 2 of the body has no end of its headers.',
    ],
    [
      'a boundary that begins like the right one',
      `${field('a', '1')}--bc\r\nContent-Disposition: form-data; name=x\r\n\r\n2\r\n${END}`,
      TYPE,
      nameless,
    ],
    [
      'a long header',
      field('a'.repeat(9_000), '1') + END,
      TYPE,
      'Part 1 of the body has headers of more than 8192 characters.',
    ],
    [
      'a header of 100 KB',
      part(`Content-Disposition: form-data; name=${'a'.repeat(100_000)}`, '1') + END,
      TYPE,
      'Part 1 of the body has headers of more than 8192 characters.',
    ],
    [
      'many headers',
      part(`Content-Disposition: form-data; name=a${'\r\nX: 1'.repeat(50)}`, '1') + END,
      TYPE,
      'Part 1 of the body has more than 50 headers.',
    ],
  ])('is refused for %s', (_what, body, contentType, message) => {
    expect(parse(body, contentType)).toEqual({ rejection: { code: 'malformed-body', message, errors: [] } });
  });

  it('has no name that is not UTF-8', () => {
    expect(parse(Buffer.from(field('\xe9', '1') + END, 'latin1'))).toMatchObject({
      rejection: { code: 'malformed-body' },
    });
  });

  it('has at most 256 parts', () => {
    expect(
      Object.keys(valueOf(Array.from({ length: 256 }, (_, i) => field(`f${i}`, '')).join('') + END) as object),
    ).toHaveLength(256);
    const refused = { code: 'invalid-event', message: 'The body has more than 256 parts.', errors: [] };
    expect(parse(field('f', '').repeat(257) + END)).toEqual({ rejection: refused });
  });

  it('is incomplete wherever it is cut off', () => {
    const whole = Buffer.from(field('a', '1') + field('b', 'two') + '--b--');
    for (let length = 1; length < whole.length; length++) {
      expect(parse(whole.subarray(0, length))).toMatchObject({ rejection: { code: 'malformed-body' } });
    }
  });

  it('comes back as it was sent', async () => {
    const unit = fc.constantFrom('a', '-', '--', '\r\n', '\n', '"', 'é', '\0', '\r\n--', '----formdata', ';', '=');
    const content = fc.string({ unit, maxLength: 12 });
    const name = fc.string({ unit: fc.constantFrom('a', 'b', ' ', ';', '=', 'é', '\\'), minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(name, content, fc.boolean()), { minLength: 1, maxLength: 5 }),
        async (fields) => {
          const form = new FormData();
          const names = fields.map(([key], i) => `${i}${key}x`);
          fields.forEach(([, text, isFile], i) => {
            if (isFile) form.append(names[i] as string, new File([text], 'f', { type: 'text/x' }));
            else form.append(names[i] as string, text);
          });
          const expected = fields.map(([, text, isFile], i): [string, unknown] => {
            const unescapedName = (names[i] as string).replaceAll('\\\\', '\\');
            const file = text.includes('\0') ? { '@base64': Buffer.from(text).toString('base64') } : { '@text': text };
            const sent = text.replace(/\r\n|\n|\r/g, '\r\n'); // browsers send the line breaks of fields so
            return [unescapedName, isFile ? { '@filename': 'f', '@contentType': 'text/x', ...file } : sent];
          });
          expect(valueOf(...(await ofBrowser(form)))).toEqual(Object.fromEntries(expected));
        },
      ),
    );
  });
});
