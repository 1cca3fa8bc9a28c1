import fc from 'fast-check';
import { QUEUES, type OutgoingMessage } from '../../../src/broker/broker';
import { doubtAbout, signedHeaders } from '../../../src/broker/message-signature';
import { message } from '../../support/broker/listener';
import { macKeys } from '../../support/mac-keys';

const MAC = macKeys('ours').current();
const MESSAGE: OutgoingMessage = message({
  headers: { 'tenant-id': 'acme', 'event-type': 'käse "1" 😀', 'dispatch-no': 2, generation: -1, revision: 2 },
  body: Buffer.from('{"id":"x","payload":{"amount":1000}}'),
});
const SIGNED = signedHeaders(MESSAGE, MAC);

describe('a signed message', () => {
  it('is not doubted as it was sent', () => {
    expect(doubtAbout(SIGNED, MESSAGE, MAC)).toBeUndefined();
  });

  it('is read by the build before, which knows nothing of signatures', () => {
    const asBefore = JSON.parse(SIGNED) as Record<string, unknown>;
    expect(asBefore).toMatchObject(MESSAGE.headers);
    expect(Object.keys(asBefore)).toEqual([...Object.keys(MESSAGE.headers), 'form', 'entries', 'mac']);
  });

  it.each<[string, Partial<OutgoingMessage>]>([
    ['for another event', { id: message().id }],
    ['in another queue, as a copy of a dead letter would be', { queue: QUEUES.retry }],
    ['with another body', { body: Buffer.from('{"id":"x","payload":{"amount":1}}') }],
    ['without a body', { body: Buffer.alloc(0) }],
  ])('is forged %s', (_what, change) => {
    expect(doubtAbout(SIGNED, { ...MESSAGE, ...change }, MAC)).toBe('forged');
  });

  it.each(Object.keys(MESSAGE.headers))('is forged with another %s', (name) => {
    const text = JSON.stringify({ ...(JSON.parse(SIGNED) as object), [name]: 'x' });
    expect(doubtAbout(text, MESSAGE, MAC)).toBe('forged');
  });

  it('is forged with the key of another installation, and right with either of two keys', () => {
    expect(doubtAbout(SIGNED, MESSAGE, macKeys('theirs').current())).toBe('forged');
    expect(doubtAbout(SIGNED, MESSAGE, macKeys('new', 'ours').current())).toBeUndefined();
  });

  it('is never trusted after any change to its headers', () => {
    const change = fc.record({ at: fc.nat(SIGNED.length), remove: fc.nat(4), insert: fc.string({ maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = changes.reduce(
          (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
          SIGNED,
        );
        return changed === SIGNED || doubtAbout(changed, MESSAGE, MAC) !== undefined;
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never trusted after any change to its body', () => {
    fc.assert(
      fc.property(fc.nat(MESSAGE.body.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const body = Buffer.from(MESSAGE.body);
        body[at] = (body[at] as number) ^ by;
        return doubtAbout(SIGNED, { ...MESSAGE, body }, MAC) === 'forged';
      }),
    );
  });
});

describe('a message without a signature', () => {
  it.each([undefined, '', '{}', signedHeaders(MESSAGE, undefined), SIGNED.slice(0, -1), '{"mac":""}'])(
    'is unsigned: %j',
    (text) => expect(doubtAbout(text, MESSAGE, MAC)).toBe('unsigned'),
  );

  it('is any message for a process that does not know the key', () => {
    expect(doubtAbout(SIGNED, MESSAGE, undefined)).toBe('unsigned');
  });
});
