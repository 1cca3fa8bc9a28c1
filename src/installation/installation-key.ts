import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Pool } from 'pg';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { onOtherServer } from '../db/other-server';
import { onOneConnection } from '../db/pool';
import { Mac } from '../integrity/mac';
import { MacKeys } from '../integrity/mac-keys';
import { keepGivenKey, keepInstallationKey, readStoredKeys, type StoredKeys } from './installation-key.queries';
import { KEY_BYTES, SealedKeys, type KeptKey } from './sealed-keys';

/** Wait between two attempts to read the keys. */
const READ_EVERY_MS = 1_000;
/** Wait between two reads because something is signed with a key that is not known. */
const RELOAD_EVERY_MS = 100;

/** By what they are sealed as. */
type KnownKeys = { incarnation: string | undefined } & Partial<Record<KeptKey, Buffer>>;

/**
 * The key with which this installation signs messages and cached facts: INSTALLATION_KEY, or else one that was made once
 * and is kept in the database, sealed as the secrets of destinations are. A production process without
 * DESTINATIONS_SECRET_KEY, as publishers may be, cannot open it. It then works without: its messages are looked up by the
 * workers, which costs them a read for each.
 *
 * So that processes with and without INSTALLATION_KEY trust each other while one setting takes the place of the other,
 * INSTALLATION_KEY is kept in the database too, and every process verifies with both keys.
 */
@Injectable()
export class InstallationKey extends MacKeys {
  private readonly logger = new Logger('InstallationKey');
  private readonly kept: SealedKeys;
  private mac: Mac | undefined;
  private reading: Promise<Mac | undefined> | undefined;
  /** A read that has not begun yet. */
  private next: Promise<Mac | undefined> | undefined;
  /** True once the keys are from this database. When a connection opens or closes, the URL may lead to another one. */
  private fresh = false;
  private readAtMs = -Infinity;
  private warned = false;
  /** The last read found no key that this process can open. */
  private lacksKey = false;
  /** The keys of the database that were opened last. Another database has none of them. */
  private known: KnownKeys = { incarnation: undefined };
  /** The incarnation of the database that keeps INSTALLATION_KEY. */
  private keptIn: string | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'NODE_ENV' | 'INSTALLATION_KEY' | 'DESTINATIONS_SECRET_KEY'>,
    private readonly pool: Pool,
  ) {
    super();
    this.kept = new SealedKeys(settings, pool);
    this.mac = macOf(settings.INSTALLATION_KEY);
    onOtherServer(pool, () => (this.fresh = false));
  }

  current(): Mac | undefined {
    if (!this.fresh && performance.now() - this.readAtMs >= READ_EVERY_MS) {
      this.load().catch((error: Error) => this.logger.debug(`could not read the installation key: ${error.message}`));
    }
    return this.mac;
  }

  load(): Promise<Mac | undefined> {
    const hasLooked = this.lacksKey && performance.now() - this.readAtMs < READ_EVERY_MS;
    if (this.fresh || (hasLooked && !this.reading)) return Promise.resolve(this.mac);
    return this.readOnce().catch((error: unknown) => {
      const goesOn = this.known.incarnation !== undefined && this.settings.INSTALLATION_KEY.length > 0;
      if (goesOn) return this.mac;
      throw error;
    });
  }

  reload(): Promise<Mac | undefined> {
    return (this.next ??= this.readNext());
  }

  /** Whoever asks before the read begins shares it: it finds every key that was stored before. */
  private async readNext(): Promise<Mac | undefined> {
    do {
      await this.reading?.catch(() => undefined); // whoever started it heeds its failure
      await sleep(Math.max(0, this.readAtMs + RELOAD_EVERY_MS - performance.now()));
    } while (this.reading); // somebody has started one in the meantime
    this.next = undefined;
    return this.readOnce();
  }

  private readOnce(): Promise<Mac | undefined> {
    return (this.reading ??= this.read().finally(() => (this.reading = undefined)));
  }

  private async read(): Promise<Mac | undefined> {
    this.readAtMs = performance.now();
    try {
      const stored = await onOneConnection(this.pool, (db) => {
        this.fresh = true; // before the read: a connection that opens or closes meanwhile sets it back
        return readStoredKeys(db);
      });
      if (stored.incarnation !== this.known.incarnation) this.known = { incarnation: stored.incarnation };
      const keys = await this.keysOf(stored);
      this.lacksKey = keys.length === 0;
      return (this.mac = macOf(keys));
    } catch (error) {
      this.fresh = false;
      throw error;
    }
  }

  /** Returns the key that signs, followed by all others that verify; nothing if this process has no key to sign with. */
  private keysOf(stored: StoredKeys): Promise<Buffer[]> {
    const { INSTALLATION_KEY: given } = this.settings;
    return given.length > 0 ? this.keysBeside(given, stored) : this.keysOfDatabase(stored);
  }

  private async keysBeside(given: readonly Buffer[], stored: StoredKeys): Promise<Buffer[]> {
    const own = await this.opened('own', stored.sealed, stored);
    const before = await this.opened('given', stored.givenSealed, stored);
    const first = given[0] as Buffer;
    // Before anything is signed with it, so that processes without this setting know it.
    const isKept = before?.equals(first) === true || (await this.keepGiven(first, stored.incarnation));
    if (stored.sealed && !(own && isKept)) {
      this.warn(
        'The key in the database cannot be opened here, or INSTALLATION_KEY cannot be kept there. While some processes ' +
          'have INSTALLATION_KEY and others do not, they drop messages of each other. Set DESTINATIONS_SECRET_KEY for this role.',
      );
    }
    return [...given, ...[own, before].filter((key) => key !== undefined)];
  }

  /** Once for a database: a process that has another key may replace it, and would be replaced in turn. */
  private async keepGiven(key: Buffer, incarnation: string): Promise<boolean> {
    if (this.keptIn === incarnation) return true;
    const sealed = await this.kept.seal('given', key);
    if (!sealed) return false;
    await keepGivenKey(this.pool, sealed);
    this.keptIn = incarnation;
    return true;
  }

  private async keysOfDatabase(stored: StoredKeys): Promise<Buffer[]> {
    const sealed = stored.sealed ?? (await this.made());
    if (!sealed) return this.withoutKey('there is none yet');
    const own = await this.opened('own', sealed, stored);
    if (!own) return this.withoutKey('no key in DESTINATIONS_SECRET_KEY is the one that sealed it');
    const given = await this.opened('given', stored.givenSealed, stored);
    return given ? [own, given] : [own];
  }

  /** Returns the sealed key that is kept, which is another process's if that was faster. */
  private async made(): Promise<Buffer | undefined> {
    const fresh = await this.kept.seal('own', randomBytes(KEY_BYTES));
    return fresh && keepInstallationKey(this.pool, fresh);
  }

  /** A process that does not have the new DESTINATIONS_SECRET_KEY yet goes on with the key that it has opened before. */
  private async opened(kept: KeptKey, sealed: Buffer | null, { databaseKey }: StoredKeys): Promise<Buffer | undefined> {
    const key = sealed ? await this.kept.open(kept, sealed, databaseKey) : undefined;
    if (key) this.known[kept] = key;
    return sealed ? this.known[kept] : undefined;
  }

  private withoutKey(why: string): [] {
    this.fresh = false; // looks again
    this.warn(
      `This process works without the installation key: ${why}. Workers look up each message without a signature, ` +
        'and cached facts are not used. Set DESTINATIONS_SECRET_KEY for this role, or the same INSTALLATION_KEY for all roles.',
    );
    return [];
  }

  private warn(text: string): void {
    if (!this.warned) this.logger.warn(text);
    this.warned = true;
  }
}

function macOf(keys: readonly Buffer[]): Mac | undefined {
  const [first, ...others] = keys;
  return first && new Mac([first, ...others]);
}
