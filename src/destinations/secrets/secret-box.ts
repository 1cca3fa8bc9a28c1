import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const VERSION = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SECRET_BYTES = 32;

/** In the form of Standard Webhooks. */
export const newSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;

/** None of the keys opens it. */
export class UnopenedSecretError extends Error {
  override readonly name = 'UnopenedSecretError';
}

/**
 * Seals the secrets of destinations for storage: version byte, nonce, tag, ciphertext. The destination's id is
 * authenticated with them, so a sealed secret that was copied to another row does not open.
 */
export class SecretBox {
  /** @param keys the first seals; all open, so that keys can be changed one by one. 32 bytes each. */
  constructor(private readonly keys: readonly [Buffer, ...Buffer[]]) {}

  seal(secret: string, destinationId: string): Buffer {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.keys[0], iv).setAAD(Buffer.from(destinationId));
    const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.of(VERSION), iv, cipher.getAuthTag(), text]);
  }

  /** @throws UnopenedSecretError */
  open(sealed: Buffer, destinationId: string): string {
    for (const key of this.keys) {
      const secret = openWith(key, sealed, destinationId);
      if (secret !== undefined) return secret;
    }
    throw new UnopenedSecretError(
      'The secret does not open: DESTINATIONS_SECRET_KEY is not the key that it was sealed with.',
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
    return undefined; // another key, another row, or damaged
  }
}
