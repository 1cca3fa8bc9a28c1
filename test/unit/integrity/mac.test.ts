import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Mac } from '../../../src/integrity/mac';

const KEY = randomBytes(32);
const OTHER = randomBytes(32);
const mac = new Mac([KEY]);

describe('a MAC', () => {
  it('is HMAC-SHA-256 over label, lengths, texts and bytes, cut to 128 bits', () => {
    const expected = createHmac('sha256', KEY)
      .update('kind 2 1\näüb')
      .update(Buffer.from([0, 255]))
      .digest('hex');
    expect(mac.of('kind', ['äü', 'b'], Buffer.from([0, 255]))).toBe(expected.slice(0, 32));
    expect(mac.verifies(expected.slice(0, 32), 'kind', ['äü', 'b'], Buffer.from([0, 255]))).toBe(true);
  });

  it.each([1, 4_096, 8_191, 8_192, 8_193, 100_000])('is so for %i bytes, whatever was signed before', (length) => {
    const bytes = randomBytes(length);
    mac.of('kind', ['ü'.repeat(3_000)], randomBytes(8_000));
    const expected = createHmac('sha256', KEY).update('kind 1\nü').update(bytes).digest('hex');
    expect(mac.of('kind', ['ü'], bytes)).toBe(expected.slice(0, 32));
  });

  it('is another one for each kind, each order and each cut of the same characters', () => {
    const contents: [string, string[], string][] = [
      ['a', ['bc', 'd'], 'e'],
      ['b', ['bc', 'd'], 'e'],
      ['a', ['b', 'cd'], 'e'],
      ['a', ['bc', 'de'], ''],
      ['a', ['bcd'], 'e'],
      ['a', ['d', 'bc'], 'e'],
    ];
    const macs = contents.map(([label, texts, bytes]) => mac.of(label, texts, Buffer.from(bytes)));
    expect(new Set(macs).size).toBe(contents.length);
  });

  it('is right for its own content only, whatever the content', () => {
    const content = fc.tuple(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.uint8Array());
    fc.assert(
      fc.property(content, content, ([a, b, c], [x, y, z]) => {
        const same = a === x && b === y && Buffer.compare(c, z) === 0;
        expect(mac.verifies(mac.of('k', [a, b], Buffer.from(c)), 'k', [x, y], Buffer.from(z))).toBe(same);
      }),
    );
  });

  it('of any key is right while keys are rotated, and the first one signs', () => {
    const both = new Mac([OTHER, KEY]);
    expect(both.of('k', ['x'])).toBe(new Mac([OTHER]).of('k', ['x']));
    expect(both.verifies(mac.of('k', ['x']), 'k', ['x'])).toBe(true);
    expect(mac.verifies(both.of('k', ['x']), 'k', ['x'])).toBe(false);
  });

  it.each(['', '0', 'é'.repeat(32), 'A'.repeat(32), '0'.repeat(33)])('is never %j', (text) => {
    expect(mac.verifies(text, 'k', ['x'])).toBe(false);
  });
});
