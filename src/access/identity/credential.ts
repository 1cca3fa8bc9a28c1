import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * API keys of tenants (`sfk_`) and tokens of operators (`sfa_`): `<prefix>_<id>_<secret><checksum>`, in base62. Secret
 * scanners know the prefix. The id is public; it stands in lists, logs and the audit trail. The checksum tells a typo
 * without a look-up.
 */
export type CredentialKind = 'sfk' | 'sfa';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
/** 43 digits of base62 hold 256 bits. */
const SECRET_LENGTH = 43;
const SECRET_BYTES = 32;
/** 6 digits of base62 hold the 32 bits of a CRC. */
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(`^(sfk|sfa)_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH + CHECKSUM_LENGTH}})$`);

/** A new credential. Its text is shown once; only the id and the digest are stored. */
export interface MintedCredential {
  id: string;
  text: string;
  digest: Buffer;
}

/** What a caller has sent, if its form and checksum are right. */
export interface SentCredential {
  kind: CredentialKind;
  id: string;
  secret: string;
}

export function mintCredential(kind: CredentialKind): MintedCredential {
  const id = base62(randomBytes(8), ID_LENGTH);
  const secret = base62(randomBytes(SECRET_BYTES), SECRET_LENGTH);
  const body = `${kind}_${id}_${secret}`;
  return { id, text: body + checksumOf(body), digest: digestOf(secret) };
}

/** Returns undefined for a text that no credential can have. */
export function parseCredential(text: string): SentCredential | undefined {
  const parts = FORM.exec(text);
  if (!parts) return undefined;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  if (checksumOf(body) !== text.slice(-CHECKSUM_LENGTH)) return undefined;
  const kind = parts[1] as CredentialKind;
  return { kind, id: parts[2] as string, secret: (parts[3] as string).slice(0, SECRET_LENGTH) };
}

/** Whether a text claims to be a credential of ours, well-formed or not. */
export function looksLikeCredential(text: string): boolean {
  return text.startsWith('sfk_') || text.startsWith('sfa_');
}

/** SHA-256. A slow hash would add nothing: nobody can try 2^256 random secrets, at any speed. */
function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}

/** No secret has this digest. */
const NO_DIGEST = Buffer.alloc(32);

/** Compares in constant time. An unknown credential, whose digest is undefined, takes as long as a wrong secret. */
export function hasDigest({ secret }: SentCredential, digest: Buffer | undefined): boolean {
  const isEqual = timingSafeEqual(digestOf(secret), digest ?? NO_DIGEST);
  return isEqual && digest !== undefined;
}

const checksumOf = (body: string): string => base62Number(crc32(body), CHECKSUM_LENGTH);

function base62Number(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) text = ALPHABET.charAt(rest % 62) + text;
  return text;
}

/** Writes bytes as a number in base62. The bytes must fit into `length` digits. */
function base62(bytes: Buffer, length: number): string {
  let text = '';
  for (let rest = BigInt(`0x${bytes.toString('hex')}`); text.length < length; rest /= 62n) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text;
  }
  return text;
}
