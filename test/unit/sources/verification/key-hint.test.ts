import { hintOfSecret } from '../../../../src/sources/verification/key-hint';
import { verified } from '../../../support/sources/verifying';

describe('the hint of a secret', () => {
  it('is the end of a long secret', () => {
    expect(hintOfSecret('0123456789abcdef', 'token')).toBe('…cdef');
    expect(hintOfSecret('0123456789abcde', 'token')).toBeUndefined();
  });

  it('counts only the password of basic authentication', async () => {
    expect(hintOfSecret('a-long-user-name:pass', 'basic')).toBeUndefined();
    expect(hintOfSecret('user:0123456789abcdef', 'basic')).toBe('…cdef');
    const secret = 'a-long-user-name:pass';
    const authorization = `Basic ${Buffer.from(secret).toString('base64')}`;
    const verdict = await verified({ scheme: 'basic' }, [secret], { headers: { authorization } });
    expect(verdict).toEqual({ verified: true, keyHint: undefined });
  });
});
