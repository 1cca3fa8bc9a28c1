import fc from 'fast-check';
import { readFact } from '../../../src/redis/cached-fact';
import { fact } from '../../contract/idempotency-cache.contract';

const { committed: FACT } = fact({ eventId: 'order "1" 😀' });
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
