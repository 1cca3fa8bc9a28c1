import { maskOf, type Mask } from '../../../src/sources/inspector/mask';
import type { KeptRequest } from '../../../src/sources/kept-request';
import { received, type Sent } from '../../support/sources/received';

const keptOf = (sent: Sent, mask: Mask): KeptRequest => JSON.parse(received(sent).keptJson(mask)) as KeptRequest;

describe('a request that is kept', () => {
  const headers = { host: 'hooks.example.com', accept: '*/*', 'x-forwarded-host': 'a.example', 'x-topic': 't' };

  it('has no headers that say only how it came, unless they are signed', () => {
    const kept = (signed: string): object =>
      keptOf({ headers }, maskOf({ scheme: 'hmac', header: 'x-signature', signed })).headers;
    expect(kept('{body}')).toEqual({ 'x-topic': 't' });
    expect(kept('{header:Host}{header:x-forwarded-host}{body}')).toEqual({
      host: 'hooks.example.com',
      'x-forwarded-host': 'a.example',
      'x-topic': 't',
    });
  });
});
