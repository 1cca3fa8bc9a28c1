import { hash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { checkInstallationKey } from '../../../src/commands/doctor/check-installation-key';
import { createPool } from '../../../src/db/pool';
import { InstallationKey } from '../../../src/installation/installation-key';
import { readStoredKeys } from '../../../src/installation/installation-key.queries';
import { testSettings } from '../../support/app';
import { eventually } from '../../support/eventually';
import { useDatabase } from '../../support/fixtures/database';

Logger.overrideLogger(false);

const key = (n: number): string => hash('sha256', String(n), 'base64');
const PRODUCTION = {
  NODE_ENV: 'production',
  APP_ROLE: 'publisher',
  ALLOW_PLAINTEXT_BACKENDS: 'true',
  REDIS_URL: 'redis://redis.example.com',
  RABBITMQ_URL: 'amqp://streamforge:x@rabbit.example.com',
  DATABASE_URL: 'postgres://streamforge:x@db.example.com/x',
};

describe('the key of the installation', () => {
  const database = useDatabase();
  beforeEach(() =>
    database.pool.query(
      'update installation set installation_key = null, given_installation_key = null, destinations_key = null',
    ),
  );

  /** As a process that starts has it. */
  const keyOf = (env: Record<string, string> = {}): InstallationKey =>
    new InstallationKey(testSettings(env), database.pool);
  const signed = async (env: Record<string, string> = {}): Promise<string | undefined> =>
    (await keyOf(env).load())?.of('k', ['x']);

  it('is made once, however many processes start at a time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => signed()));
    expect(new Set(all).size).toBe(1);
    expect(all[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  it('is sealed with DESTINATIONS_SECRET_KEY, and opens with that key only', async () => {
    const env = { DESTINATIONS_SECRET_KEY: key(1) };
    const mac = await signed(env);
    const { sealed, databaseKey } = await readStoredKeys(database.pool);
    expect(sealed?.length).toBe(1 + 12 + 16 + 44); // version, nonce, tag, the key in base64
    expect(databaseKey).toBeNull();
    expect(await signed(env)).toBe(mac);
    expect(await signed({ DESTINATIONS_SECRET_KEY: key(2) })).toBeUndefined();
    expect(await signed()).toBeUndefined();
  });

  it('is sealed anew when DESTINATIONS_SECRET_KEY is rotated, so that the old one can go', async () => {
    const mac = await signed({ DESTINATIONS_SECRET_KEY: key(1) });
    expect(await signed({ DESTINATIONS_SECRET_KEY: `${key(2)},${key(1)}` })).toBe(mac);
    expect(await signed({ DESTINATIONS_SECRET_KEY: key(2) })).toBe(mac);
  });

  it('stays with a process that has not got the new DESTINATIONS_SECRET_KEY yet, and opens it no more after a restart', async () => {
    const pool = createPool(database.url, 'old process');
    try {
      const old = new InstallationKey(testSettings({ DESTINATIONS_SECRET_KEY: key(1) }), pool);
      const mac = (await old.load())?.of('k', ['x']);
      expect(await signed({ DESTINATIONS_SECRET_KEY: `${key(2)},${key(1)}` })).toBe(mac);
      // Not once() of node:events: it rejects at the error that comes first.
      const lost = new Promise((resolve) => pool.once('remove', resolve));
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'old process'`,
      );
      await lost; // from now on it reads the key again
      expect((await old.load())?.of('k', ['x'])).toBe(mac);
      expect(old.current()?.of('k', ['x'])).toBe(mac);
      expect(await signed({ DESTINATIONS_SECRET_KEY: key(1) })).toBeUndefined();
    } finally {
      await pool.end();
    }
  });

  it('goes on when an installation without DESTINATIONS_SECRET_KEY gets one', async () => {
    const mac = await signed();
    expect(await signed({ DESTINATIONS_SECRET_KEY: key(1) })).toBe(mac);
  });

  it('is not made in production by a process that cannot seal it, which then works without', async () => {
    expect(await signed({ ...PRODUCTION })).toBeUndefined();
    expect(await readStoredKeys(database.pool)).toMatchObject({ sealed: null, databaseKey: null });
    const mac = await signed({ ...PRODUCTION, DESTINATIONS_SECRET_KEY: key(1) });
    expect(mac).toBeDefined();
    expect(await signed({ ...PRODUCTION })).toBeUndefined();
  });

  it('is INSTALLATION_KEY where that is set, and then none is made in the database', async () => {
    const env = { INSTALLATION_KEY: key(3) };
    expect(keyOf(env).current()).toBeDefined();
    expect(await signed(env)).toBe(await signed({ INSTALLATION_KEY: `${key(3)},${key(4)}` }));
    expect((await readStoredKeys(database.pool)).sealed).toBeNull();
  });

  describe('while INSTALLATION_KEY and the key in the database take turns', () => {
    const GIVEN = { INSTALLATION_KEY: key(3) };
    /** Whether a process that runs trusts what another has signed, at once, and after it has met it. */
    const trusts = async (one: InstallationKey, other: InstallationKey): Promise<[boolean, boolean]> => {
      const signature = other.current()?.of('k', ['x']) ?? '';
      const atOnce = one.current()?.verifies(signature, 'k', ['x']) ?? false;
      return [atOnce, (await one.reload())?.verifies(signature, 'k', ['x']) ?? false];
    };
    const started = async (env: Record<string, string> = {}): Promise<InstallationKey> => {
      const keys = keyOf(env);
      await keys.load();
      return keys;
    };

    it('processes with and without INSTALLATION_KEY trust each other, whichever started first', async () => {
      const without = await started();
      const given = await started(GIVEN);
      expect(await trusts(given, without)).toEqual([true, true]);
      expect(await trusts(without, given)).toEqual([false, true]); // read since
      const back = await started();
      expect(await trusts(back, given)).toEqual([true, true]);
      expect(await trusts(given, back)).toEqual([true, true]);
    });

    it('a process that started when there was no key in the database finds the one that is made', async () => {
      const given = await started(GIVEN);
      const without = await started();
      expect(await trusts(without, given)).toEqual([true, true]);
      expect(await trusts(given, without)).toEqual([false, true]);
    });

    it('an INSTALLATION_KEY is kept sealed, under the first DESTINATIONS_SECRET_KEY', async () => {
      await started({ ...GIVEN, DESTINATIONS_SECRET_KEY: key(1) });
      const { givenSealed } = await readStoredKeys(database.pool);
      expect(givenSealed?.includes(Buffer.from(key(3), 'base64'))).toBe(false);
      await started({ DESTINATIONS_SECRET_KEY: `${key(2)},${key(1)}` });
      const given = await started({ ...GIVEN, DESTINATIONS_SECRET_KEY: key(2) });
      expect(await trusts(await started({ DESTINATIONS_SECRET_KEY: key(2) }), given)).toEqual([true, true]);
    });

    it('a publisher in production that can seal nothing signs all the same', async () => {
      const publisher = await started({ ...PRODUCTION, ...GIVEN });
      const { givenSealed, databaseKey } = await readStoredKeys(database.pool);
      expect([givenSealed, databaseKey]).toEqual([null, null]);
      expect(publisher.current()?.of('k', ['x'])).toBe(await signed(GIVEN));
    });

    it('two processes with different ones do not replace the key of each other again and again', async () => {
      const one = await started(GIVEN);
      const other = await started({ INSTALLATION_KEY: key(4) });
      const kept = (await readStoredKeys(database.pool)).givenSealed;
      expect(await trusts(one, other)).toEqual([false, true]);
      await one.reload();
      expect((await readStoredKeys(database.pool)).givenSealed).toEqual(kept);
    });

    it.each<[string, Record<string, string>, string | undefined, RegExp]>([
      ['one key that all use', {}, undefined, /the key in the database signs/],
      ['INSTALLATION_KEY and an older key that is trusted', GIVEN, undefined, /set installation_key = null/],
      ['an INSTALLATION_KEY that others have', {}, key(3), /set given_installation_key = null/],
      ['another INSTALLATION_KEY', GIVEN, key(4), /has started with another INSTALLATION_KEY/],
      ['keys that cannot be opened', { ...GIVEN, DESTINATIONS_SECRET_KEY: key(9) }, undefined, /opens the key in the/],
    ])('doctor names %s', async (_what, env, others, says) => {
      await started({ DESTINATIONS_SECRET_KEY: key(1) });
      if (others) await started({ INSTALLATION_KEY: others, DESTINATIONS_SECRET_KEY: key(1) });
      const settings = testSettings({ DESTINATIONS_SECRET_KEY: key(1), ...env });
      const sentences = (await checkInstallationKey(database.pool, settings)).map(({ sentence }) => sentence);
      expect(sentences.filter((sentence) => says.test(sentence))).toHaveLength(1);
    });
  });

  it('is read again after a connection was opened, because it may lead to another server', async () => {
    const pool = createPool(database.url, 'test');
    try {
      const running = new InstallationKey(testSettings(), pool);
      const before = (await running.load())?.of('k', ['x']);
      await database.pool.query('update installation set installation_key = null');
      const anew = await signed();
      const first = await pool.connect(); // the one that is idle
      expect((await running.load())?.of('k', ['x'])).toBe(before);
      (await pool.connect()).release();
      expect((await running.load())?.of('k', ['x'])).toBe(anew);
      first.release();
    } finally {
      await pool.end();
    }
  });

  it('is read again after a lost connection, because the URL may lead to another database', async () => {
    const pool = createPool(database.url, 'test');
    try {
      const running = new InstallationKey(testSettings(), pool);
      const before = (await running.load())?.of('k', ['x']);
      await database.pool.query('update installation set installation_key = null'); // as in a database that was created anew
      const anew = await signed();
      expect(anew).not.toBe(before);
      expect(running.current()?.of('k', ['x'])).toBe(before);
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test'`,
      );
      await eventually(() => expect(running.current()?.of('k', ['x'])).toBe(anew));
    } finally {
      await pool.end();
    }
  });
});
