import { maskOf, type Mask } from '../../../src/sources/inspector/mask';
import { KeptRequests, type KeptRequest } from '../../../src/sources/request/kept-request';
import { received, type Sent } from '../../support/sources/received';

const keptBy = (kept: KeptRequests, sent: Sent): KeptRequest =>
  JSON.parse(`{${received(sent).keptMembers(kept)}}`) as KeptRequest;
const keptOf = (sent: Sent, mask: Mask): KeptRequest => keptBy(new KeptRequests(mask, 'custom', 'hmac'), sent);

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

  it('has the headers of its own, also where the requests before it had others', () => {
    const kept = new KeptRequests(
      maskOf({ scheme: 'token', header: 'x-key', prefix: 'k ' }, ['secret-1']),
      'custom',
      'token',
    );
    const sent = [
      { 'x-topic': 'a', 'x-key': 'k one', 'x-text': 'has secret-1' },
      { 'x-topic': 'a', 'x-key': 'k two', 'x-text': 'has "none"' },
      { 'x-topic': 'b', 'x-text': 'has "none"' },
      { 'x-topic': 'a', 'x-key': 'none', 'x-text': 'has secret-1' },
      { 'x-topic': 'x'.repeat(300) },
      { 'x-topic': 'x'.repeat(300) },
    ];
    expect(sent.map((headers) => keptBy(kept, { headers }).headers)).toEqual([
      { 'x-topic': 'a', 'x-key': 'k ***', 'x-text': 'has ***' },
      { 'x-topic': 'a', 'x-key': 'k ***', 'x-text': 'has "none"' },
      { 'x-topic': 'b', 'x-text': 'has "none"' },
      { 'x-topic': 'a', 'x-key': '***', 'x-text': 'has ***' },
      { 'x-topic': 'x'.repeat(300) },
      { 'x-topic': 'x'.repeat(300) },
    ]);
  });

  it('has at most 100 headers, and a source remembers at most 500 names', () => {
    const kept = new KeptRequests(maskOf({ scheme: 'none' }), 'custom', 'none');
    const many = (from: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`x-${from + i}`, `${i}`]));
    for (const from of [0, 1_000, 2_000, 3_000, 4_000, 5_000, 4_000]) {
      expect(Object.entries(keptBy(kept, { headers: many(from) }).headers)).toEqual(
        Object.entries(many(from)).slice(0, 100),
      );
    }
  });

  it('says how it was verified', () => {
    const kept = new KeptRequests(maskOf({ scheme: 'hmac' }), 'stripe', 'hmac');
    const how = (keyHint: string | undefined): unknown =>
      JSON.parse(`{${kept.verificationOf({ verified: true, keyHint })}}`);
    expect(how('…"abc')).toEqual({ provider: 'stripe', scheme: 'hmac', keyHint: '…"abc' });
    expect(how(undefined)).toEqual({ provider: 'stripe', scheme: 'hmac', keyHint: null });
  });
});
