import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Settings } from '../config/settings';
import { keepDestinationsKey } from '../destinations/destinations.queries';
import { SecretBox, UnopenedSecretError } from '../destinations/secrets/secret-box';
import { readStoredKeys, replaceSealedKey } from './installation-key.queries';

export const KEY_BYTES = 32;
/** What a key is sealed as, so that it opens as nothing else. */
const SEALED_AS = { own: 'installation key', given: 'given installation key' } as const;
/** `own`: the key that StreamForge has made. `given`: an INSTALLATION_KEY. */
export type KeptKey = keyof typeof SEALED_AS;

/** Seals and opens the keys that the database keeps, as the secrets of destinations are sealed. */
export class SealedKeys {
  constructor(
    private readonly settings: Pick<Settings, 'NODE_ENV' | 'DESTINATIONS_SECRET_KEY'>,
    private readonly pool: Pool,
  ) {}

  /** Returns undefined in a production process without DESTINATIONS_SECRET_KEY, which must not make a key to seal with. */
  async seal(kept: KeptKey, key: Buffer): Promise<Buffer | undefined> {
    const [first, ...others] = this.settings.DESTINATIONS_SECRET_KEY;
    if (!first && this.settings.NODE_ENV === 'production') return undefined; // those that have the key do it
    const box = first
      ? new SecretBox([first, ...others])
      : new SecretBox([await keepDestinationsKey(this.pool, randomBytes(KEY_BYTES))]);
    return box.seal(key.toString('base64'), SEALED_AS[kept]);
  }

  /**
   * Opens a key, and seals it anew if it was sealed with an older key, which may then go away.
   *
   * @param databaseKey as it was read before; null: it is read again, because it may have been made since
   * @returns undefined if no key that this process has is the one that sealed it
   */
  async open(kept: KeptKey, sealed: Buffer, databaseKey: Buffer | null): Promise<Buffer | undefined> {
    const known = databaseKey ?? (await readStoredKeys(this.pool)).databaseKey;
    const [first, ...others] = [...this.settings.DESTINATIONS_SECRET_KEY, ...(known ? [known] : [])];
    if (!first) return undefined;
    const current = openedKey(new SecretBox([first]), kept, sealed);
    if (current) return current;
    const box = new SecretBox([first, ...others]);
    const key = openedKey(box, kept, sealed);
    if (key) await replaceSealedKey(this.pool, sealed, box.seal(key.toString('base64'), SEALED_AS[kept]));
    return key;
  }
}

/** Returns undefined if none of the keys of the box is the one that sealed it. */
export function openedKey(box: SecretBox, kept: KeptKey, sealed: Buffer): Buffer | undefined {
  try {
    return Buffer.from(box.open(sealed, SEALED_AS[kept]), 'base64');
  } catch (error) {
    if (error instanceof UnopenedSecretError) return undefined;
    throw error;
  }
}
