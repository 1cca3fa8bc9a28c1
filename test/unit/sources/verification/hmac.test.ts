import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Hmac } from '../../../../src/sources/verification/signatures/hmac';

describe('an HMAC', () => {
  it('is that of node:crypto for keys and texts of any length', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const),
        fc.uint8Array({ maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }),
        (algorithm, key, text) => {
          const expected = createHmac(algorithm, key).update(text).digest('hex');
          expect(new Hmac(algorithm, Buffer.from(key)).of(Buffer.from(text)).toString('hex')).toBe(expected);
        },
      ),
    );
  });
});
