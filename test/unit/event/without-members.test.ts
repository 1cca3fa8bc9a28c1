import fc from 'fast-check';
import { canonicalJson, canonicalWithNames } from '../../../src/event/json/canonical-json';

/** Checks also that the other results are those of a call that leaves nothing out. */
function without(value: unknown, ...paths: string[][]): string {
  const { lasting, ...whole } = canonicalWithNames(value, paths);
  const { lasting: _same, ...expected } = canonicalWithNames(value);
  expect(whole).toEqual(expected);
  return lasting;
}

describe('the canonical text of a value without members', () => {
  it.each([
    [{ a: 1, b: 2 }, ['a'], { b: 2 }],
    [{ a: 1, b: 2 }, ['b'], { a: 1 }],
    [{ a: 1 }, ['a'], {}],
    [{ a: { b: 1, c: 2 }, d: 3 }, ['a', 'b'], { a: { c: 2 }, d: 3 }],
    [{ a: { b: 1 }, b: 1 }, ['b'], { a: { b: 1 } }],
    [{ a: { b: 1 }, b: 12 }, ['a', 'b'], { a: {}, b: 12 }],
    [{ a: 'x"b":1', b: 1 }, ['b'], { a: 'x"b":1' }],
    [{ a: 1 }, ['b'], { a: 1 }],
    [{ a: [1] }, ['a', '0'], { a: [1] }],
    [{ a: null }, ['a', 'b'], { a: null }],
    [[1], ['0'], [1]],
    ['text', ['length'], 'text'],
    [{ a: 1 }, [], { a: 1 }],
  ])('%j without %j', (value, path, expected) => {
    expect(without(value, path)).toBe(canonicalJson(expected));
  });

  it.each([
    [{ a: { b: 1 }, c: { b: 1 } }, { c: { b: 1 } }],
    [{ a: { b: 1, d: 2 }, b: 1 }, { b: 1 }],
    [{ c: 1 }, { c: 1 }],
  ])('%j leaves out a member that is in another one left out, and nothing else', (value, expected) => {
    expect(without(value, ['a'], ['a', 'b'])).toBe(canonicalJson(expected));
    expect(without(value, ['a', 'b'], ['a'])).toBe(canonicalJson(expected));
  });

  it('is that of a copy without them, for any value', () => {
    const name = fc.constantFrom('a', 'b', '"', 'a"b');
    const leaf = fc.oneof(fc.constantFrom(1, 12, null, '"a":1', ',"b":1', true), fc.string());
    const inner = fc.dictionary(name, fc.oneof(leaf, fc.array(leaf)));
    const value = fc.dictionary(name, fc.oneof(leaf, inner, fc.array(inner)));
    fc.assert(
      fc.property(value, name, (object, removed) => {
        const { [removed]: _member, ...others } = object;
        expect(without(object, [removed])).toBe(canonicalJson(others));
      }),
      { numRuns: 2_000 },
    );
  });
});
