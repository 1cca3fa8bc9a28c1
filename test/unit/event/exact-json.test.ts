import * as fc from 'fast-check';
import { canonicalJson } from '../../../src/event/json/canonical-json';
import { parseExact, parseRepeating } from '../../../src/event/json/exact-json';
import { prepared, preparedFrom } from '../../support/events';

const canonical = (text: string): string => canonicalJson(parseRepeating(text));

describe('parseRepeating', () => {
  it('reads every JSON text without repeated names as parseExact does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(parseRepeating(text)).toEqual(parseExact(text));
      }),
    );
  });

  it.each(['{"a":1,"a":2}', '[{"a":1,"b":{"c":[],"c":[]}}]', '{"":"\\"","":"\\\\"}', '{"__proto__":1,"__proto__":1}'])(
    'keeps every member of %s',
    (text) => expect(canonical(text)).toBe(text),
  );

  it('keeps long numbers and reads a long text without running out of stack', () => {
    expect(canonical('{"a":12345678901234567890,"a":1e2}')).toBe('{"a":1234567890123456789e1,"a":100}');
    const long = JSON.stringify('\\"x'.repeat(1_000_000));
    expect(canonical(`{"a":1,"a":${long}}`)).toBe(`{"a":1,"a":${long}}`);
  });

  it('ignores the order of different names only', () => {
    expect(canonical('{ "b":0, "a":1, "a":2 }')).toBe(canonical('{"a":1,"b":0,"a":2}'));
    expect(canonical('{"a":1,"a":2}')).not.toBe(canonical('{"a":2,"a":1}'));
  });
});

describe('an event whose payload repeats a name', () => {
  const hashOf = (payload: string): string =>
    preparedFrom(`{"eventType":"t","subject":"s","payload":${payload}}`).event.hash;

  it('has a hash of its own', () => {
    const payloads = ['{"a":1}', '{"a":2}', '{"a":1,"a":2}', '{"a":2,"a":1}', '{"a":2,"a":2}', '{"a":1,"a":1,"a":2}'];
    const nested = payloads.map((payload) => `[{"x":${payload}}]`);
    const all = [...payloads, ...nested, '{"a":[1,2]}', '{"\\u0061":9,"a":2}'];
    expect(new Set(all.map(hashOf)).size).toBe(all.length);
  });

  it('keeps its text, and is equal to itself with other white space', () => {
    const text = '{ "a": 1.10, "a": 2 }';
    expect(preparedFrom(`{"eventType":"t","subject":"s","payload":${text}}`).event.payloadJson).toBe(text);
    expect(hashOf(text)).toBe(hashOf('{"a":1.1,"a":2}'));
  });

  it('is refused for an unsupported character in a member that JSON.parse drops', () => {
    expect(() => hashOf('{"a":["\\u0000"],"a":1}')).toThrow('/payload/a/0');
    expect(() => hashOf('{"a":1,"a":["\\ud800"]}')).toThrow('/payload/a/0');
  });

  it('does not change the hash of others', () => {
    expect(prepared({ subject: 's', payload: { b: 1, a: 2 } }).event.hash).toBe(
      prepared({ subject: 's', payload: { a: 2, b: 1 } }).event.hash,
    );
  });
});
