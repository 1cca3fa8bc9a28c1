import canonicalize from 'canonicalize';
import * as fc from 'fast-check';
import { canonicalJson } from '../../../src/event/json/canonical-json';
import { parseExact } from '../../../src/event/json/exact-json';

describe('canonical JSON', () => {
  it('matches the example of RFC 8785, section 3.2.2', () => {
    const sample = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`;
    expect(canonicalJson(JSON.parse(sample))).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts names by UTF-16 code units, as section 3.2.3 shows', () => {
    const sample = { '€': 1, '\r': 2, '\ufb33': 3, '1': 4, '😀': 5, '\u0080': 6, ö: 7 };
    const names = [...canonicalJson(sample).matchAll(/"([^"]+)":/g)].map(([, name]) => name);
    expect(names).toEqual(['\\r', '1', '\u0080', 'ö', '€', '😀', '\ufb33']);
  });

  it.each([
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740992, '9007199254740992'],
    [999999999999999900000, '999999999999999900000'],
    [1e21, '1e+21'],
    [0.000001, '0.000001'],
    [9.999999999999997e-7, '9.999999999999997e-7'],
  ])('prints the number %d as appendix B does', (number, text) => {
    expect(canonicalJson(number)).toBe(text);
    expect(canonicalJson(parseExact(text))).toBe(text);
  });

  it('agrees with the npm package on every value whose numbers are doubles', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary', depthSize: 'medium' }), (value) => {
        const canonical = canonicalJson(value);
        expect(canonical).toBe(canonicalize(value));
        expect(canonicalJson(parseExact(JSON.stringify(value)))).toBe(canonical);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([2, 24, 25, 3_000])('sorts the names of an object with %d members', (count) => {
    const names = Array.from({ length: count }, (_, i) => `name ${(i * 7_919) % count}`);
    const value = Object.fromEntries(names.map((name) => [name, name]));
    expect(canonicalJson(value)).toBe(canonicalize(value));
  });

  it('does not depend on the order of names or on white space', () => {
    expect(canonicalJson(parseExact('{ "b" : [ 1.0 ] , "a" : 1e2 }'))).toBe('{"a":100,"b":[1]}');
  });

  it('distinguishes numbers that JSON.parse would round to the same double', () => {
    const texts = [
      '9007199254740992',
      '9007199254740993',
      '12345678901234567890',
      '12345678901234567891',
      '1e400',
      '1e401',
      '-1e400',
      '1e-400',
      '0',
    ];
    expect(new Set(texts.map((text) => canonicalJson(parseExact(`[${text}]`)))).size).toBe(texts.length);
  });

  it('is the same for all spellings of a large number', () => {
    const spellings = ['12345678901234567890', '12345678901234567890.000', '1.2345678901234567890e19'];
    expect(new Set(spellings.map((text) => canonicalJson(parseExact(text)))).size).toBe(1);
  });

  it('distinguishes a large number from a string or an object that looks like it', () => {
    const texts = ['1e400', '"1e400"', '{"decimal":"1e400"}'];
    expect(new Set(texts.map((text) => canonicalJson(parseExact(text)))).size).toBe(3);
  });

  it('treats __proto__ and constructor as ordinary names', () => {
    const text = '{"__proto__":{"b":12345678901234567891},"constructor":1}';
    expect(canonicalJson(parseExact(text))).toBe('{"__proto__":{"b":12345678901234567891e0},"constructor":1}');
    expect(canonicalJson(parseExact('{"__proto__":1}'))).not.toBe(canonicalJson({}));
  });
});
