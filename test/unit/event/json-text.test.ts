import * as fc from 'fast-check';
import { decimalOf, decodeUtf8, isExactlyPrinted, scanJsonObject } from '../../../src/event/json/json-text';
import { findUnsupportedCharacter } from '../../../src/event/json/unsupported-characters';

describe('decodeUtf8', () => {
  it('decodes every plane of Unicode', () => {
    expect(decodeUtf8(Buffer.from('añ€😀\u0000'))).toBe('añ€😀\u0000');
  });

  it.each([
    ['a byte that never occurs', [0xff]],
    ['a character cut short', [0xe2, 0x82]],
    ['an overlong encoding', [0xc0, 0xaf]],
    ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ['a code point beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('rejects %s instead of replacing it', (_what, bytes) => {
    expect(decodeUtf8(Buffer.from([0x22, ...bytes, 0x22]))).toBeUndefined();
  });

  it('drops one leading BOM and no other', () => {
    expect(decodeUtf8(Buffer.from('\ufeff{}'))).toBe('{}');
    expect(decodeUtf8(Buffer.from('\ufeff\ufeff{\ufeff'))).toBe('\ufeff{\ufeff');
    expect(decodeUtf8(Buffer.from('\ufeff'))).toBe('');
  });
});

describe('scanJsonObject', () => {
  const member = (text: string, name: string): string | undefined => {
    const slice = scanJsonObject(text).members.get(name);
    return slice && text.slice(slice.start, slice.end);
  };

  it.each([
    ['{"a":1}', '1'],
    ['{"a":-1.5e+3,"b":2}', '-1.5e+3'],
    ['{ "a" \n:\t "x" \r\n}', '"x"'],
    ['{"b":{"a":0},"a" : [ 1 , {"a":2} ] , "c":null}', '[ 1 , {"a":2} ]'],
    ['{"a":"}],:{\\"[\\\\","b":1}', '"}],:{\\"[\\\\"'],
    ['{"a":"","b":1}', '""'],
    ['{"b":":","a":true}', 'true'],
    ['{"\\u0061":false}', 'false'],
    ['{"a":1,"a":[2]}', '[2]'],
  ])('finds the member a of %s', (text, slice) => {
    expect(member(text, 'a')).toBe(slice);
    expect(JSON.parse(slice)).toEqual((JSON.parse(text) as { a: unknown }).a);
  });

  it('decodes member names as JSON.parse does', () => {
    const text = '{"__proto__":1,"":2,"a\\"b\\\\":3,"\\ud83d\\ude00":4}';
    expect([...scanJsonObject(text).members.keys()]).toEqual(['__proto__', '', 'a"b\\', '😀']);
  });

  it.each([
    ['{}', 0],
    ['{"a":":","b":[{"c":1},{"c":{}}]}', 4],
    ['{"a":{"b":1,"b":2,"\\u0062":3}}', 4],
  ])('counts the names of %s, repeated ones too', (text, names) => expect(scanJsonObject(text).names).toBe(names));

  it('finds no members in an empty object', () => {
    expect(scanJsonObject(' { } ').members.size).toBe(0);
  });

  it.each([
    ['{"a":1,"b":2}', undefined],
    ['{"a":{"b":1,"b":2},"b":3}', undefined],
    ['{"a":1,"b":2,"b":3,"a":4}', 'b'],
    ['{"a":1,"\\u0061":2}', 'a'],
  ])('finds in %s the repeated name %s', (text, repeated) => {
    expect(scanJsonObject(text).repeated).toBe(repeated);
  });

  it.each([
    ['{"a":1}', 0],
    ['{"a":[]}', 1],
    ['{"a":"[[[["}', 0],
    ['{"a":[{"b":{}}],"c":[]}', 3],
    ['{"a":[[]],"b":[[[]]],"c":[]}', 3],
  ])('measures the depth of %s', (text, depth) => {
    expect(scanJsonObject(text).depth).toBe(depth);
  });

  it('measures a depth that would overflow the stack of a recursive scan', () => {
    const text = `{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
    expect(scanJsonObject(text).depth).toBe(200_000);
  });

  it.each([
    ['0', false],
    ['-0', false],
    ['10.10', false],
    ['0.1', false],
    ['1E3', false],
    ['1e-7', false],
    ['100000000000000000000', false],
    ['9007199254740992', false],
    ['9007199254740993', true],
    ['12345678901234567890', true],
    ['0.1000000000000000000001', true],
    ['1e400', true],
    ['1e-400', true],
  ])('reports whether a double cannot hold the number %s: %s', (number, inexact) => {
    expect(scanJsonObject(`{"a":[${number}]}`).inexactNumbers).toBe(inexact);
    expect(isExactlyPrinted(number)).toBe(!inexact);
  });

  it('decides short numbers without converting them, with the same result', () => {
    const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^\\d{1,${maxLength}}$`));
    const number = fc
      .tuple(fc.constantFrom('', '-'), fc.nat(99_999_999), digits(9), fc.constantFrom('', 'e', 'E-', 'e+'), digits(2))
      .map(([sign, whole, fraction, e, exponent]) => `${sign}${whole}.${fraction}${e && e + exponent}`);
    fc.assert(
      fc.property(number, (text) => {
        expect([text, scanJsonObject(`{"a":${text}}`).inexactNumbers]).toEqual([text, !isExactlyPrinted(text)]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('ignores digits in strings', () => {
    expect(scanJsonObject('{"12345678901234567890":"1e400"}').inexactNumbers).toBe(false);
  });

  it.each([
    ['\\u0000', true],
    ['\\ud83d\\ude00', true],
    ['\\uD800', true],
    ['\\udFFF', true],
    ['\\\\u0000', false],
    ['\\\\\\u0000', true],
    ['\\u0001', false],
    ['\\u0064', false],
    ['\\ud7ff', false],
    ['\\ue000', false],
    ['\\n\\"', false],
  ])('reports whether the escape %s needs a check: %s', (escape, suspect) => {
    expect(scanJsonObject(`{"a":"x${escape}y"}`).suspectEscapes).toBe(suspect);
    expect(scanJsonObject(`{"x${escape}y":1}`).suspectEscapes).toBe(suspect);
  });
});

describe('decimalOf', () => {
  it.each([
    [['0', '-0', '0.000', '0e99', '-0.0E-7'], '0'],
    [['1', '1.0', '10e-1', '0.1e1', '1E+0', '0.0001e4'], '1e0'],
    [['12.34', '1234e-2', '0.1234e2', '12.3400'], '1234e-2'],
    [['-1200', '-1.2e3', '-12e+2'], '-12e2'],
    [['1e400', '10e399', '0.01e402'], '1e400'],
  ])('returns the same text for %j', (spellings, decimal) => {
    expect(spellings.map(decimalOf)).toEqual(spellings.map(() => decimal));
  });

  it('distinguishes exponents that a double cannot hold', () => {
    expect(decimalOf('1e99999999999999999999')).not.toBe(decimalOf('1e99999999999999999998'));
  });

  it('distinguishes exponents of thousands of digits, which it does not compute with', () => {
    const exponent = '9'.repeat(200_000);
    expect(decimalOf(`1e${exponent}`)).toBe(`1e${exponent}`);
    expect(decimalOf(`1e${exponent}`)).not.toBe(decimalOf(`1e${exponent.slice(1)}8`));
    expect(decimalOf(`0.0e${exponent}`)).toBe('0');
  });

  it('takes linear time, whatever the number of zeros', () => {
    const startedMs = performance.now();
    const many = '0'.repeat(100_000);
    for (const text of [`1${many}1`, `1.${many}1`, `0.${many}1`, `1e1${many}`]) decimalOf(text);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });
});

describe('findUnsupportedCharacter', () => {
  it.each([
    ['a NUL in a string', { a: ['x', 'y\0'] }, '/payload/a/1'],
    ['a lone high surrogate', { a: { b: '\ud800' } }, '/payload/a/b'],
    ['a lone low surrogate', ['\udc00'], '/payload/0'],
    ['a pair the wrong way round', '\ude00\ud83d', '/payload'],
    ['a name, at the object that has it', { a: { 'x\0': 1 } }, '/payload/a'],
    ['names that a pointer must escape', { 'a/b': { '~c': '\0' } }, '/payload/a~1b/~0c'],
  ])('points to %s', (_what, value, pointer) => {
    expect(findUnsupportedCharacter(value, '/payload')).toBe(pointer);
  });

  it('points to the first of several characters', () => {
    expect(findUnsupportedCharacter({ a: { b: '\0' }, c: '\0' }, '')).toBe('/a/b');
  });

  it.each([[null], [1], ['\ud83d\ude00 \n \u007f'], [{ a: [true, { '': 'é' }] }]])('finds nothing in %j', (value) => {
    expect(findUnsupportedCharacter(value, '/payload')).toBeUndefined();
  });
});
