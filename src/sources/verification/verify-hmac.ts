import { keyHint } from './key-hint';
import { SecretError } from './secret-error';
import { Hmac } from './signatures/hmac';
import { isEqual, SignatureReader, type SignedText } from './signatures/signature-rule';
import type { CompiledVerifier } from './verifier';
import type { HmacVerification } from './verification';

/** @throws SecretError, TemplateError */
export function compileHmac(rule: HmacVerification, secrets: readonly string[]): CompiledVerifier {
  const reader = new SignatureReader(rule);
  const keys = secrets.map((secret) => ({
    hint: keyHint(secret),
    key: new Hmac(rule.algorithm, decodeKey(secret, rule.secretEncoding ?? 'utf8')),
  }));
  const isRight = (key: Hmac, { signed, signatures }: SignedText): boolean => {
    const expected = key.of(signed);
    return signatures.filter((signature) => isEqual(signature, expected)).length > 0;
  };
  return (request) => reader.verdict(request, keys, isRight);
}

const STANDARD_PREFIX = 'whsec_';

/** @throws SecretError for a text that is not in this encoding */
export function decodeKey(secret: string, encoding: 'utf8' | 'hex' | 'base64' | 'whsec'): Buffer {
  if (encoding === 'utf8') return Buffer.from(secret);
  const text =
    encoding === 'whsec' && secret.startsWith(STANDARD_PREFIX) ? secret.slice(STANDARD_PREFIX.length) : secret;
  const form = encoding === 'hex' ? /^(?:[0-9a-f]{2})+$/i : /^[A-Za-z0-9+/_-]{2,}={0,2}$/;
  if (!form.test(text)) {
    const name = encoding === 'whsec' ? 'base64 after whsec_' : encoding;
    throw new SecretError(`The secret must be ${name}, since secretEncoding is ${encoding}.`);
  }
  return Buffer.from(text, encoding === 'hex' ? 'hex' : 'base64');
}
