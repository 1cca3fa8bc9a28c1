import {
  hasDigest,
  mintCredential,
  parseCredential,
  type SentCredential,
} from '../../../src/access/identity/credential';

const parsed = (text: string): SentCredential => {
  const sent = parseCredential(text);
  if (!sent) throw new Error(`${text} is no credential`);
  return sent;
};

describe('a credential', () => {
  it.each(['sfk', 'sfa'] as const)('of kind %s has a public id, a secret of 256 bits and a checksum', (kind) => {
    const { id, text, digest } = mintCredential(kind);
    expect(text).toMatch(new RegExp(`^${kind}_${id}_[0-9A-Za-z]{49}$`));
    expect(id).toMatch(/^[0-9A-Za-z]{12}$/);
    expect(digest).toHaveLength(32);
    expect(parsed(text)).toMatchObject({ kind, id });
    expect(hasDigest(parsed(text), digest)).toBe(true);
  });

  it('is never minted twice', () => {
    const texts = Array.from({ length: 1_000 }, () => mintCredential('sfk').text);
    expect(new Set(texts).size).toBe(1_000);
  });

  it('with any character changed, cut or added is told by its checksum', () => {
    const { text } = mintCredential('sfk');
    for (let at = 0; at < text.length; at++) {
      const other = text.charAt(at) === 'a' ? 'b' : 'a';
      expect(parseCredential(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined();
      expect(parseCredential(text.slice(0, at) + text.slice(at + 1))).toBeUndefined();
    }
    for (const wrong of ['', 'sfk_', `${text}a`, ` ${text}`, text.toLowerCase(), `${text}\n`]) {
      expect(parseCredential(wrong)).toBeUndefined();
    }
  });

  it('does not match the digest of another one, nor none', () => {
    const sent = parsed(mintCredential('sfk').text);
    expect(hasDigest(sent, mintCredential('sfk').digest)).toBe(false);
    expect(hasDigest(sent, undefined)).toBe(false);
  });
});
