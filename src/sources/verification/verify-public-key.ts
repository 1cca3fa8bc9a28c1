import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { keyHint } from './key-hint';
import { SecretError } from './verify-hmac';
import { SignatureReader, type SignedText } from './signature-rule';
import type { CompiledVerifier } from './verifier';
import type { PublicKeyVerification } from './verification';

/** Signatures by a key pair. The public keys stand in place of the secrets. @throws SecretError, TemplateError */
export function compilePublicKey(rule: PublicKeyVerification, secrets: readonly string[]): CompiledVerifier {
  const reader = new SignatureReader(rule);
  const keys = secrets.map((secret) => ({ secret, key: readPublicKey(secret, rule) }));
  return (request) => {
    const texts = reader.read(request);
    if ('verified' in texts) return texts;
    let holder: string | undefined;
    for (const text of texts) {
      holder = keys.find(({ key }) => isSignedBy(rule, key, text))?.secret;
      if (holder === undefined) return reader.wrong(text, keys.length);
    }
    return { verified: true, keyHint: holder === undefined ? undefined : keyHint(holder) };
  };
}

export function isSignedBy(rule: PublicKeyVerification, key: KeyObject, { bytes, signatures }: SignedText): boolean {
  const algorithm = rule.scheme === 'ed25519' ? null : (rule.algorithm ?? 'sha256');
  const options = rule.scheme === 'ecdsa' ? { key, dsaEncoding: rule.signatureFormat ?? 'der' } : key;
  return signatures.some((signature) => verify(algorithm, bytes, options, signature));
}

/** What precedes a raw key of ed25519 in its DER form (RFC 8410). */
const ED25519_DER = Buffer.from('302a300506032b6570032100', 'hex');
const ED25519_BYTES = 32;
const TYPES = { ed25519: 'ed25519', ecdsa: 'ec', rsa: 'rsa' } as const;

/** @throws SecretError */
function readPublicKey(text: string, { scheme, keyEncoding = 'pem' }: PublicKeyVerification): KeyObject {
  const key = parseKey(text, keyEncoding);
  if (key?.asymmetricKeyType === TYPES[scheme]) return key;
  throw new SecretError(`The secret must be a public key for ${scheme}, in ${keyEncoding}.`);
}

function parseKey(text: string, encoding: 'pem' | 'hex' | 'base64'): KeyObject | undefined {
  try {
    if (encoding === 'pem') return createPublicKey(text);
    const bytes = Buffer.from(text, encoding);
    const der = bytes.length === ED25519_BYTES ? Buffer.concat([ED25519_DER, bytes]) : bytes;
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch {
    return undefined; // the caller names what was expected; OpenSSL's message does not
  }
}
