import * as fc from 'fast-check';
import { sha256 } from '../../../src/event/identity/content-hash';
import {
  cloudEventKey,
  derivedKey,
  eventIdKey,
  explicitKey,
  isIdempotencyKey,
  secondContentKey,
} from '../../../src/event/identity/idempotency-key';

describe('the digest of an idempotency key', () => {
  it('joins its parts unambiguously: tenant a with key bc is not tenant ab with key c', () => {
    expect(explicitKey('a', 'bc')).not.toBe(explicitKey('ab', 'c'));
    expect(explicitKey('1', '1:1')).not.toBe(explicitKey('11:', '1'));
    expect(derivedKey('a', 'f', '1', 'full')).not.toBe(derivedKey('a', 'f1', undefined, 'full'));
  });

  it('is equal only for equal parts', () => {
    const part = fc.string({ unit: fc.constantFrom('a', '1', '2', ':'), maxLength: 4 });
    fc.assert(
      fc.property(part, part, part, part, (tenant, key, otherTenant, otherKey) => {
        const same = tenant === otherTenant && key === otherKey;
        expect(explicitKey(tenant, key) === explicitKey(otherTenant, otherKey)).toBe(same);
      }),
    );
  });

  it('differs between the kinds of key', () => {
    const digests = [
      explicitKey('acme', 'x'),
      derivedKey('acme', 'x', undefined, 'intent'),
      eventIdKey('acme', 'x'),
      cloudEventKey('acme', '', 'x'),
      cloudEventKey('acme', 'x', ''),
      secondContentKey('acme', 'x', 'content'),
      secondContentKey('acme', 'x', 'intent'),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('has not changed since the first build for the kinds that it knew', () => {
    expect(eventIdKey('acme', 'sale-1')).toBe(sha256('8:event-id4:acme6:sale-1'));
    expect(explicitKey('acme', 'k')).toBe(sha256('8:explicit4:acme1:k'));
    expect(derivedKey('acme', 'f', undefined, 'intent')).toBe(sha256('7:derived4:acme1:f'));
  });

  it('is a SHA-256 in hex, the same at every call', () => {
    expect(explicitKey('acme', 'k')).toMatch(/^[0-9a-f]{64}$/);
    expect(explicitKey('acme', 'k')).toBe(explicitKey('acme', 'k'));
  });

  it('covers the eventId only under the strategy full', () => {
    expect(derivedKey('acme', 'f', 'e1', 'intent')).toBe(derivedKey('acme', 'f', 'e2', 'intent'));
    expect(derivedKey('acme', 'f', 'e1', 'full')).not.toBe(derivedKey('acme', 'f', 'e2', 'full'));
    expect(derivedKey('acme', 'f', undefined, 'full')).toBe(derivedKey('acme', 'f', undefined, 'intent'));
  });
});

describe('isIdempotencyKey', () => {
  it.each(['k', 'x'.repeat(255), '!~', 'order-1#7', '"quoted"'])('accepts %s', (key) => {
    expect(isIdempotencyKey(key)).toBe(true);
  });

  it.each(['', 'x'.repeat(256), 'a b', ' a', 'a\n', 'é', '\u007f', 'a, a'])('rejects %j', (key) => {
    expect(isIdempotencyKey(key)).toBe(false);
  });
});
