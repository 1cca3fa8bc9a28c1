import { maskOf } from '../../../src/sources/inspector/mask';
import { received } from '../../support/sources/received';

describe('a request that is kept', () => {
  const headers = { host: 'hooks.example.com', accept: '*/*', 'x-forwarded-host': 'a.example', 'x-topic': 't' };

  it('has no headers that say only how it came, unless they are signed', () => {
    const kept = (signed: string): object =>
      received({ headers }).kept(maskOf({ scheme: 'hmac', header: 'x-signature', signed })).headers;
    expect(kept('{body}')).toEqual({ 'x-topic': 't' });
    expect(kept('{header:Host}{header:x-forwarded-host}{body}')).toEqual({
      host: 'hooks.example.com',
      'x-forwarded-host': 'a.example',
      'x-topic': 't',
    });
  });
});
