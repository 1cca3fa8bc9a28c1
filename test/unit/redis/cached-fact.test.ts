import fc from 'fast-check';
import { readSignedFact, signedFact } from '../../../src/redis/cached-fact';
import { fact } from '../../contract/idempotency-cache.contract';
import { macKeys } from '../../support/mac-keys';

const { committed: FACT } = fact({ eventId: 'order "1" 😀' });
const MAC = macKeys('ours').current();
const KEY = 'streamforge:1:key:2';
/** The fact in a value whose signature is right. */
const readFact = (text: string) => readSignedFact(KEY, `2 ${MAC.of('fact 2', [KEY, text])} ${text}`, MAC);
const json = (fields: Record<string, unknown>): string => JSON.stringify({ ...FACT, ...fields });

describe('a cached value', () => {
  it('is a fact if it has exactly its fields', () => {
    expect(readFact(JSON.stringify(FACT))).toEqual(FACT);
    expect(readFact(` ${json({})} `)).toEqual(FACT);
  });

  it.each(['', 'true', 'null', '-1', '"x"', '[]', '{}', '{"id":1}', '{"id":', 'NaN', json({}).slice(1)])(
    'is not a fact as %j',
    (text) => {
      expect(readFact(text)).toBeUndefined();
    },
  );

  it.each(Object.keys(FACT))('is not a fact with %s missing, of another type, or empty', (name) => {
    const { [name as keyof typeof FACT]: value, ...others } = FACT;
    expect(readFact(JSON.stringify(others))).toBeUndefined();
    expect(readFact(JSON.stringify({ ...others, [name.toUpperCase()]: value }))).toBeUndefined();
    for (const wrong of [null, 1, true, '', [value], { value }, `${value} `, `${value}\n`, `${value}\ud800`]) {
      const accepted = typeof wrong === 'string' && wrong.endsWith(' ') && /eventId|correlationId/.test(name);
      expect([wrong, readFact(json({ [name]: wrong })) !== undefined]).toEqual([wrong, accepted]);
    }
  });

  it.each([
    { id: FACT.id.toUpperCase() },
    { id: FACT.id.replaceAll('-', '') },
    { fingerprint: FACT.fingerprint.slice(1) },
    { hash: FACT.hash.toUpperCase() },
    { receivedAt: '2026-11-24T10:00:00Z' },
    { receivedAt: '2026-11-31T10:00:00.000Z' },
    { receivedAt: '2026-11-24T10:00:00.000+00:00' },
    { eventId: 'x'.repeat(256) },
    { history: '1.5' },
    { history: 'x' },
    { history: '12345678901234567890' },
    { extra: 'x' },
    { __proto__: null, x: 1 },
  ])('is not a fact with %j', (fields) => {
    expect(readFact(json(fields))).toBeUndefined();
  });

  it('is not parsed when it is longer than any fact', () => {
    expect(readFact(json({}) + ' '.repeat(8_192))).toBeUndefined();
  });

  it('never throws, whatever the text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => readFact(text) === undefined));
  });
});

describe('a signed fact', () => {
  const SIGNED = signedFact(KEY, FACT, MAC);

  it('is read under its key only', () => {
    expect(readSignedFact(KEY, SIGNED, MAC)).toEqual(FACT);
    expect(readSignedFact(`${KEY}0`, SIGNED, MAC)).toBeUndefined();
    expect(readSignedFact(KEY, SIGNED, macKeys('theirs').current())).toBeUndefined();
  });

  it('is no longer one after any change', () => {
    const change = fc.record({ at: fc.nat(SIGNED.length), remove: fc.nat(3), insert: fc.string({ maxLength: 3 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = changes.reduce(
          (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
          SIGNED,
        );
        return changed === SIGNED || readSignedFact(KEY, changed, MAC) === undefined;
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never one of a build before, which did not say in which history it was true', () => {
    const { history: _, ...before } = FACT;
    const text = JSON.stringify(before);
    expect(readSignedFact(KEY, text, MAC)).toBeUndefined();
    expect(readSignedFact(KEY, `1 ${MAC.of('fact 1', [KEY, text])} ${text}`, MAC)).toBeUndefined();
    expect(readSignedFact(KEY, `2 ${MAC.of('fact 2', [KEY, text])} ${text}`, MAC)).toBeUndefined();
  });
});
