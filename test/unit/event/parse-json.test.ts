import * as fc from 'fast-check';
import { parseJson } from '../../../src/event/json/parse-json';

/** Writes every character of a name as an escape. */
const escaped = (name: string): string =>
  `"${[...Array(name.length).keys()].map((i) => `\\u${name.charCodeAt(i).toString(16).padStart(4, '0')}`).join('')}"`;

/** A value and a text for it whose names are escaped at will. Built without JSON.parse, which is under test. */
const sample = fc.letrec<{ value: { text: string; value: unknown } }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, -1.5, 'a', '\\', '"', ':').map((value) => ({ text: JSON.stringify(value), value })),
    fc.array(tie('value'), { maxLength: 3 }).map((items) => ({
      text: `[ ${items.map(({ text }) => text).join(' ,')}]`,
      value: items.map(({ value }) => value),
    })),
    fc
      .array(
        fc.tuple(fc.constantFrom('\\', '"', 'a', '\\u', 'ab', '0', '__proto__', '', '\n'), fc.boolean(), tie('value')),
        { maxLength: 4 },
      )
      .map((members) => ({
        text: `{${members.map(([n, esc, v]) => `${esc ? escaped(n) : JSON.stringify(n)} :${v.text}`).join(' , ')}}`,
        value: Object.fromEntries(members.map(([name, , { value }]) => [name, value])),
      })),
  ),
})).value;

describe('parseJson', () => {
  it('does not take a name from an object that was parsed before, as JSON.parse does', () => {
    JSON.parse('{"first":1,"\\\\":2}');
    expect(parseJson('{"first":1,"\\u0061":2}')).toStrictEqual({ first: 1, a: 2 });
    expect(parseJson('{"first":1,"\\"":2}')).toStrictEqual({ first: 1, '"': 2 });
  });

  it('returns the value of every text, however names are escaped', () => {
    fc.assert(
      fc.property(sample, ({ text, value }) => {
        const parsed = parseJson(text);
        expect(parsed).toStrictEqual(value);
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(value));
      }),
      { numRuns: 2_000 },
    );
  });

  it('parses an escaped name 50,000 levels deep', () => {
    const depth = 50_000;
    let value = parseJson(`${'{"\\u0061":['.repeat(depth)}${']}'.repeat(depth)}`);
    for (let i = 0; i < depth - 1; i++) value = (value as { a: unknown[] }).a[0];
    expect(value).toStrictEqual({ a: [] });
  });

  it.each(['', '{', '{"\\u0061":}', '[1,]', '"\\x"'])('refuses %j as JSON.parse does', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
