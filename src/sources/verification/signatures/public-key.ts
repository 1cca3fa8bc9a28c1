import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { ReceivedRequest } from '../../request/received-request';
import { compileTemplate } from '../../request/template';
import { SecretError } from '../secret-error';
import type { SignedText } from './signature-rule';
import { missing, refused, type Refused } from '../verdict';
import type { Digest, PublicKeyVerification } from '../verification';

/** What precedes a raw key of ed25519 in its DER form (RFC 8410). */
const ED25519_DER = Buffer.from('302a300506032b6570032100', 'hex');
const ED25519_BYTES = 32;
const TYPES = { ed25519: 'ed25519', ecdsa: 'ec', rsa: 'rsa' } as const;

export function isKeyFor(key: KeyObject | undefined, { scheme }: PublicKeyVerification): key is KeyObject {
  return key?.asymmetricKeyType === TYPES[scheme];
}

/** @throws SecretError */
export function readPublicKey(text: string, rule: PublicKeyVerification): KeyObject {
  const { scheme, keyEncoding = 'pem' } = rule;
  const key = parseKey(text, keyEncoding);
  if (isKeyFor(key, rule)) return key;
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

/** Finds out which digest a request was signed with. */
export type DigestReader = (request: ReceivedRequest) => Digest | Refused;

/** @throws TemplateError */
export function compileDigest({ algorithm = 'sha256' }: PublicKeyVerification): DigestReader {
  if (typeof algorithm === 'string') return () => algorithm;
  const { value, names } = algorithm;
  const template = compileTemplate(value);
  return (request) => {
    const name = template.render(request);
    if ('missing' in name) return missing(name.missing);
    const text = name.text;
    if (Object.hasOwn(names, text)) return names[text] as Digest;
    return refused('signature-invalid', `${value} must be one of ${Object.keys(names).join(', ')}.`);
  };
}

/** Whether one of the signatures is right. All are checked. */
export function isSignedBy(
  key: KeyObject,
  { signed, signatures }: SignedText,
  { scheme, signatureFormat = 'der' }: PublicKeyVerification,
  digest: Digest,
): boolean {
  const algorithm = scheme === 'ed25519' ? null : digest;
  const options = scheme === 'ecdsa' ? { key, dsaEncoding: signatureFormat } : key;
  const { bytes } = signed;
  return signatures.filter((signature) => verify(algorithm, bytes, options, signature)).length > 0;
}
