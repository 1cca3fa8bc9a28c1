import { randomBytes } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { keepDestinationsKey } from '../destinations/destinations.queries';
import { SecretBox, UnopenedSecretError } from '../destinations/secrets/secret-box';
import { Mac } from '../integrity/mac';
import { MacKeys } from '../integrity/mac-keys';
import { keepInstallationKey, readStoredKeys, replaceSealedKey, type StoredKeys } from './installation-key.queries';

const KEY_BYTES = 32;
/** What the key is sealed as, so that it opens as nothing else. */
const SEALED_AS = 'installation key';
/** Wait between two attempts to read the key. */
const READ_EVERY_MS = 1_000;

/**
 * The key with which this installation signs messages and cached facts: INSTALLATION_KEY, or else one that was made once
 * and is kept in the database, sealed as the secrets of destinations are. A production process without
 * DESTINATIONS_SECRET_KEY, as publishers may be, cannot open it. It then works without: its messages are looked up by the
 * workers, which costs them a read for each.
 */
@Injectable()
export class InstallationKey extends MacKeys {
  private readonly logger = new Logger('InstallationKey');
  private mac: Mac | undefined;
  private reading: Promise<Mac | undefined> | undefined;
  /** True once the key is from this database. After a lost connection the URL may lead to another one. */
  private fresh = false;
  private readAtMs = -Infinity;
  private warned = false;
  /** The last read found no key that this process can open. */
  private lacksKey = false;
  /** The incarnation of the database that `mac` is from. */
  private readFrom: string | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'NODE_ENV' | 'INSTALLATION_KEY' | 'DESTINATIONS_SECRET_KEY'>,
    private readonly pool: Pool,
  ) {
    super();
    const [first, ...others] = settings.INSTALLATION_KEY;
    this.mac = first && new Mac([first, ...others]);
    this.fresh = first !== undefined;
    if (!this.fresh) pool.on('remove', () => (this.fresh = false));
  }

  current(): Mac | undefined {
    if (!this.fresh && Date.now() - this.readAtMs >= READ_EVERY_MS) {
      this.load().catch((error: Error) => this.logger.debug(`could not read the installation key: ${error.message}`));
    }
    return this.mac;
  }

  load(): Promise<Mac | undefined> {
    const hasLooked = this.lacksKey && Date.now() - this.readAtMs < READ_EVERY_MS;
    if (this.fresh || (hasLooked && !this.reading)) return Promise.resolve(this.mac);
    this.reading ??= this.read().finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async read(): Promise<Mac | undefined> {
    this.readAtMs = Date.now();
    this.fresh = true; // before the read: a connection that is lost meanwhile sets it back
    try {
      const stored = await readStoredKeys(this.pool);
      const key = await this.open(stored);
      this.lacksKey = key === undefined;
      // A process that does not have the new DESTINATIONS_SECRET_KEY yet keeps the key that it opened before.
      if (key || stored.incarnation !== this.readFrom) this.mac = key && new Mac([key]);
      if (key) this.readFrom = stored.incarnation;
      return this.mac;
    } catch (error) {
      this.fresh = false;
      throw error;
    }
  }

  private async open({ sealed, databaseKey }: StoredKeys): Promise<Buffer | undefined> {
    if (sealed) return this.unseal(sealed, databaseKey);
    const box = await this.boxToSealWith();
    if (!box) return this.withoutKey('there is none yet');
    const fresh = box.seal(randomBytes(KEY_BYTES).toString('base64'), SEALED_AS);
    return this.unseal(await keepInstallationKey(this.pool, fresh), null);
  }

  private async boxToSealWith(): Promise<SecretBox | undefined> {
    const [first, ...others] = this.settings.DESTINATIONS_SECRET_KEY;
    if (first) return new SecretBox([first, ...others]);
    if (this.settings.NODE_ENV === 'production') return undefined; // those that have the key make it
    return new SecretBox([await keepDestinationsKey(this.pool, randomBytes(KEY_BYTES))]);
  }

  private async unseal(sealed: Buffer, databaseKey: Buffer | null): Promise<Buffer | undefined> {
    const known = databaseKey ?? (await readStoredKeys(this.pool)).databaseKey;
    const [first, ...others] = [...this.settings.DESTINATIONS_SECRET_KEY, ...(known ? [known] : [])];
    if (!first) return this.withoutKey('it is sealed with DESTINATIONS_SECRET_KEY, which is not set');
    const current = opened(new SecretBox([first]), sealed);
    if (current !== undefined) return Buffer.from(current, 'base64');
    const box = new SecretBox([first, ...others]);
    const key = opened(box, sealed);
    if (key === undefined) return this.withoutKey('no key in DESTINATIONS_SECRET_KEY is the one that sealed it');
    await replaceSealedKey(this.pool, sealed, box.seal(key, SEALED_AS)); // the key that sealed it may go away
    return Buffer.from(key, 'base64');
  }

  private withoutKey(why: string): undefined {
    this.fresh = false; // looks again
    if (!this.warned) {
      this.logger.warn(
        `This process works without the installation key: ${why}. Workers look up each message without a signature, ` +
          'and cached facts are not used. Set DESTINATIONS_SECRET_KEY for this role, or the same INSTALLATION_KEY for all roles.',
      );
    }
    this.warned = true;
    return undefined;
  }
}

function opened(box: SecretBox, sealed: Buffer): string | undefined {
  try {
    return box.open(sealed, SEALED_AS);
  } catch (error) {
    if (error instanceof UnopenedSecretError) return undefined;
    throw error;
  }
}
