import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Rendered } from '../../../../src/sources/request/template';
import { Hmac } from '../../../../src/sources/verification/signatures/hmac';

describe('an HMAC', () => {
  it('is that of node:crypto for keys and texts of any length', () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const algorithms = fc.constantFrom('sha1' as const, 'sha256' as const, 'sha512' as const);
    fc.assert(
      fc.property(algorithms, bytes, fc.array(bytes, { minLength: 1, maxLength: 3 }), (algorithm, key, texts) => {
        const hmac = new Hmac(algorithm, Buffer.from(key));
        const made = texts.map((text) => hmac.of(new Rendered([Buffer.from(text)])).toString('hex'));
        expect(made).toEqual(texts.map((text) => createHmac(algorithm, key).update(text).digest('hex')));
      }),
    );
  });
});
