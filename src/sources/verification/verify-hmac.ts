import { createHmac } from 'node:crypto';
import { keyHint } from './key-hint';
import { isEqual, SignatureReader, type SignedText } from './signature-rule';
import type { CompiledVerifier } from './verifier';
import type { HmacVerification } from './verification';

/** @throws SecretError, TemplateError */
export function compileHmac(rule: HmacVerification, secrets: readonly string[]): CompiledVerifier {
  const reader = new SignatureReader(rule);
  const keys = secrets.map((secret) => ({ secret, key: decodeKey(secret, rule.secretEncoding ?? 'utf8') }));
  const holderOf = ({ bytes, signatures }: SignedText): string | undefined =>
    keys.find(({ key }) => {
      const expected = createHmac(rule.algorithm, key).update(bytes).digest();
      return signatures.some((signature) => isEqual(signature, expected));
    })?.secret;
  return (request) => {
    const texts = reader.read(request);
    if ('verified' in texts) return texts;
    let holder: string | undefined;
    for (const text of texts) {
      holder = holderOf(text);
      if (holder === undefined) return reader.wrong(text, keys.length);
    }
    return { verified: true, keyHint: holder === undefined ? undefined : keyHint(holder) };
  };
}

export class SecretError extends Error {
  override readonly name = 'SecretError';
}

const STANDARD_PREFIX = 'whsec_';

/** @throws SecretError for a text that is not in this encoding */
export function decodeKey(secret: string, encoding: 'utf8' | 'hex' | 'base64' | 'whsec'): Buffer {
  if (encoding === 'utf8') return Buffer.from(secret);
  const text =
    encoding === 'whsec' && secret.startsWith(STANDARD_PREFIX) ? secret.slice(STANDARD_PREFIX.length) : secret;
  const form = encoding === 'hex' ? /^(?:[0-9a-f]{2})+$/i : /^[A-Za-z0-9+/_-]+={0,2}$/;
  if (!form.test(text)) {
    const name = encoding === 'whsec' ? 'base64 after whsec_' : encoding;
    throw new SecretError(`The secret must be ${name}, since secretEncoding is ${encoding}.`);
  }
  return Buffer.from(text, encoding === 'hex' ? 'hex' : 'base64');
}
