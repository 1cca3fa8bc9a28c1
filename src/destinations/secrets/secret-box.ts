import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;

/** Creates a signing secret in the format of Standard Webhooks. */
export const newSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;

/** Thrown when no key opens a sealed secret. */
export class UnopenedSecretError extends Error {
  override readonly name = 'UnopenedSecretError';
}

/**
 * Seals the secrets of destinations for storage, as version byte, nonce, tag and ciphertext. The destination's id is
 * authenticated with them, so a sealed secret that is copied to another row does not open.
 */
export class SecretBox {
  /** @param keys of 32 bytes. The first one seals; every one opens, so that keys can be rotated. */
  constructor(private readonly keys: readonly [Buffer, ...Buffer[]]) {}

  seal(secret: string, destinationId: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keys[0], iv).setAAD(Buffer.from(destinationId));
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), text]);
  }

  /** Returns the position of the key that sealed a secret, 0 being the first; undefined if it is none of the keys. */
  keyOf(sealed: Buffer, destinationId: string): number | undefined {
    const index = this.keys.findIndex((key) => openWith(key, sealed, destinationId) !== undefined);
    return index < 0 ? undefined : index;
  }

  /** @throws UnopenedSecretError */
  open(sealed: Buffer, destinationId: string): string {
    for (const key of this.keys) {
      const secret = openWith(key, sealed, destinationId);
      if (secret !== undefined) return secret;
    }
    throw new UnopenedSecretError(
      'The secret cannot be opened: no key in DESTINATIONS_SECRET_KEY is the one that sealed it.',
    );
  }
}

function openWith(key: Buffer, sealed: Buffer, destinationId: string): string | undefined {
  if (sealed[0] !== VERSION || sealed.length < 1 + IV_BYTES + TAG_BYTES) return undefined;
  const iv = sealed.subarray(1, 1 + IV_BYTES);
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(destinationId));
  decipher.setAuthTag(sealed.subarray(1 + IV_BYTES, 1 + IV_BYTES + TAG_BYTES));
  const text = decipher.update(sealed.subarray(1 + IV_BYTES + TAG_BYTES));
  try {
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return undefined; // sealed with another key or for another row, or damaged
  }
}
