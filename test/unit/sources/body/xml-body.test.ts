import { parseJson } from '../../../../src/event/json/parse-json';
import { parseBody } from '../../../../src/sources/body/parse-body';

const parse = (body: string | Buffer, contentType = 'application/xml') =>
  parseBody(Buffer.from(body as string), contentType);
const valueOf = (body: string | Buffer, contentType?: string): unknown => {
  const parsed = parse(body, contentType);
  return 'rejection' in parsed ? parsed : parseJson(parsed.json);
};

describe('an XML body', () => {
  it.each([
    ['an element with text', '<a>x</a>', { a: 'x' }],
    ['text with white space', '<a> x </a>', { a: ' x ' }],
    ['an empty root', '<a/>', { a: null }],
    ['a root named payload', '<payload>{"a":1}</payload>', { payload: '{"a":1}' }],
    ['children', '<o><id>1</id><l>a</l><l>b</l><e/></o>', { o: { id: '1', l: ['a', 'b'], e: null } }],
    ['attributes', '<o id="1"><x y="2">z</x></o>', { o: { '@id': '1', x: { '@y': '2', '#text': 'z' } } }],
    ['namespaces', '<s:o xmlns:s="urn:s"><s:x/></s:o>', { 's:o': { '@xmlns:s': 'urn:s', 's:x': null } }],
    ['nil', '<o><x xsi:nil="true"/></o>', { o: { x: null } }],
    ['CDATA and entities', '<o><![CDATA[<&]]>&lt;&#233;</o>', { o: '<&<é' }],
    ['comments and instructions', '<?x y?><!--c--><o><!--c-->1</o><!--c-->\n', { o: '1' }],
  ])('may have %s', (_what, body, expected) => {
    expect(valueOf(body)).toEqual(expected);
    expect(valueOf(body, 'text/xml; charset=utf-8')).toEqual(expected);
    expect(valueOf(body, 'application/soap+xml')).toEqual(expected);
  });

  it('keeps __proto__ as an ordinary name', () => {
    expect(parse('<__proto__ __proto__="1"><__proto__>2</__proto__></__proto__>')).toEqual({
      json: '{"__proto__":{"@__proto__":"1","__proto__":"2"}}',
      fromJson: false,
    });
  });

  const declared = (encoding: string): string => `<?xml version="1.0" encoding="${encoding}"?><a>é</a>`;
  it.each([
    ['its declaration', Buffer.from(declared('iso-8859-1'), 'latin1'), 'text/xml'],
    ['its Content-Type, which wins', Buffer.from(declared('utf-8'), 'latin1'), 'text/xml; charset=windows-1252'],
    ['its BOM, which wins', Buffer.from(`\ufeff${declared('iso-8859-1')}`), 'text/xml; charset=iso-8859-1'],
    ['a BOM of UTF-16', Buffer.from(`\ufeff${declared('utf-16')}`, 'utf16le'), 'text/xml'],
    ['a BOM of UTF-16, big-endian', Buffer.from(`\ufeff${declared('utf-16')}`, 'utf16le').swap16(), 'text/xml'],
    ['UTF-16 without a BOM', Buffer.from(declared('utf-16'), 'utf16le'), 'text/xml'],
    ['no declaration', Buffer.from('<a>é</a>'), 'text/xml'],
  ])('is decoded by %s', (_what, bytes, contentType) => {
    expect(valueOf(bytes, contentType)).toEqual({ a: 'é' });
  });

  it.each([
    [
      'a DOCTYPE',
      '<!DOCTYPE a [<!ENTITY x "y">]>\n<a>&x;</a>',
      'XML, line 1: a document type declaration (DOCTYPE) is not allowed.',
    ],
    ['an undefined entity', '<a>&nbsp;</a>', 'The document is not well-formed XML ('],
    ['an open element', '<a><b></b>', 'The document is not well-formed XML ('],
    ['crossed elements', '<a><b></a></b>', 'The document is not well-formed XML ('],
    ['two roots', '<a/><b/>', 'The document is not well-formed XML ('],
    ['text alone', 'x', 'The document is not well-formed XML ('],
    ['white space alone', ' ', 'The document is not well-formed XML ('],
    ['a reference to U+0000', '<a>&#0;</a>', 'The document is not well-formed XML ('],
    ['U+0000', '<a>\0</a>', 'The document is not well-formed XML ('],
    ['a repeated attribute', '<a b="1" b="2"/>', 'The document is not well-formed XML ('],
    [
      'many attributes',
      `<a\n${Array.from({ length: 257 }, (_, i) => `a${i}=""`).join(' ')}/>`,
      'XML, line 2: an element has more than 256 attributes.',
    ],
    ['65 levels', '<a>'.repeat(65) + '</a>'.repeat(65), 'XML, line 1: elements are nested deeper than 64 levels.'],
    ['bytes that are not UTF-8', Buffer.from('<a>\xe9</a>', 'latin1'), 'The XML document is not valid utf-8.'],
    [
      'an unknown encoding',
      declared('ebcdic'),
      'The charset "ebcdic" is not supported for XML: use utf-8, iso-8859-1, windows-1252 and utf-16.',
    ],
  ])('is refused for %s', (_what, body, message) => {
    const parsed = parse(body);
    expect(parsed).toMatchObject({ rejection: { code: 'malformed-body' } });
    expect((parsed as { rejection: { message: string } }).rejection.message).toContain(message);
  });

  it('has at most 64 levels as JSON, in which lists are levels too', () => {
    const nested = (levels: number): string => '<a>'.repeat(levels) + '</a>'.repeat(levels);
    expect(parse(nested(64))).toHaveProperty('json');
    const lists = '<a><b/>'.repeat(40) + '</a><a/>'.repeat(39) + '</a>';
    expect(parse(lists)).toMatchObject({
      rejection: { code: 'invalid-event', message: 'The XML document is nested deeper than 64 levels.' },
    });
  });
});
