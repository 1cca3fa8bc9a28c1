import { withoutMember } from '../../../src/event/json/without-member';

describe('a value without a member', () => {
  it.each([
    [{ a: 1, b: 2 }, ['a'], { b: 2 }],
    [{ a: { b: 1, c: 2 }, d: 3 }, ['a', 'b'], { a: { c: 2 }, d: 3 }],
    [{ a: 1 }, ['b'], { a: 1 }],
    [{ a: [1] }, ['a', '0'], { a: [1] }],
    [{ a: null }, ['a', 'b'], { a: null }],
    [[1], ['0'], [1]],
    ['text', ['length'], 'text'],
    [{ a: 1 }, [], { a: 1 }],
  ])('%j without %j', (value, path, expected) => {
    const before = JSON.stringify(value);
    expect(withoutMember(value, path)).toEqual(expected);
    expect(JSON.stringify(value)).toBe(before);
  });
});
