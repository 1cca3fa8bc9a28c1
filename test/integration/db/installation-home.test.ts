import { Logger } from '@nestjs/common';
import { Client } from 'pg';
import { changeInstallation } from '../../../src/commands/installation/change-installation';
import { HistoryChanged, readHistory } from '../../../src/db/history/history.queries';
import { createPool } from '../../../src/db/pool';
import { readPlace } from '../../../src/installation/installation-home.queries';
import { ThisInstallation } from '../../../src/installation/this-installation';
import { InstallationMoved } from '../../../src/integrity/installation';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { eventually } from '../../support/eventually';
import { dumped } from '../../support/processes/e2e-own-servers';
import { givenReceiver } from '../../support/queued-deliveries';

describe('the home of an installation', () => {
  let database: TestDatabase;
  let printed: string;
  beforeEach(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    atTheEnd(() => database.drop());
    printed = '';
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    process.exitCode = undefined;
    await closeAll();
  });

  /** As a staging is made: a dump of production, restored into another database. */
  const restoredCopy = async (): Promise<TestDatabase> => {
    const copy = await createTestDatabase({ migrated: false });
    atTheEnd(() => copy.drop());
    dumped(database.url).restore(copy.url);
    return copy;
  };
  /** Asked with a pool of its own, as a process that starts. */
  const installationOf = ({ url }: Pick<TestDatabase, 'url'>): ThisInstallation => {
    const pool = createPool(url, 'streamforge test');
    atTheEnd(() => pool.end());
    return new ThisInstallation(pool);
  };

  it('is where it started first, and a restart changes nothing', async () => {
    const { id, home, here } = await readPlace(database.pool);
    expect(home).toBeNull();
    const installation = installationOf(database);
    await expect(installation.require()).resolves.toBe(id);
    expect(installation.unconfirmed()).toBeUndefined();
    await expect(readPlace(database.pool)).resolves.toMatchObject({ id, home: here, here });
    await expect(installationOf(database).require()).resolves.toBe(id);
  });

  it('is not a copy of it, which must be confirmed or made new', async () => {
    const id = await installationOf(database).require();
    const copy = await restoredCopy();
    const installation = installationOf(copy);
    let told = 0;
    installation.onMoved(() => (told += 1));
    await expect(installation.require()).rejects.toBeInstanceOf(InstallationMoved);
    await expect(installation.unconfirmed()).rejects.toThrow(/npm run installation -- --confirm.*-- --new/);
    expect(told).toBe(2);

    await changeInstallation(copy.url, 'show', false);
    expect(process.exitCode).toBe(1);
    await changeInstallation(copy.url, 'confirm', false);
    await expect(installation.require()).resolves.toBe(id);
    expect(installation.unconfirmed()).toBeUndefined();
    await expect(installationOf(database).require()).resolves.toBe(id);
  });

  it('becomes another one with an id, a key and paused destinations of its own', async () => {
    const id = await installationOf(database).require();
    await givenReceiver(database.pool, {});
    await database.pool.query(`update installation set installation_key = 'sealed'`);
    const copy = await restoredCopy();
    await changeInstallation(copy.url, 'new', false);
    expect(printed).toContain('1 destinations were paused');
    const own = await installationOf(copy).require();
    expect(own).not.toBe(id);
    const { rows } = await copy.pool.query(
      'select installation_key as key, (select count(*)::int from destinations where paused_at is null) as active from installation',
    );
    expect(rows).toEqual([{ key: null, active: 0 }]);
    await changeInstallation(copy.url, 'show', false);
    expect(process.exitCode).toBeUndefined();
    await expect(installationOf(database).require()).resolves.toBe(id);
  });

  it('is looked at again after a connection was opened: it may lead to another server', async () => {
    const pool = createPool(database.url, 'streamforge test');
    atTheEnd(() => pool.end());
    const installation = new ThisInstallation(pool);
    await installation.require();
    expect(installation.unconfirmed()).toBeUndefined(); // the connection that was opened for the reading says nothing
    await database.pool.query(`update installation set home = 'elsewhere'`);
    const first = await pool.connect(); // the one that is idle
    expect(installation.unconfirmed()).toBeUndefined();
    (await pool.connect()).release();
    await expect(installation.unconfirmed()).rejects.toBeInstanceOf(InstallationMoved);
    first.release();
  });

  it('is looked at again for what was read in another history, although no connection was lost', async () => {
    const installation = installationOf(database);
    await installation.require();
    const before = await readHistory(database.pool);
    expect(installation.unconfirmed(before)).toBeUndefined();
    await database.pool.query(`update database_history set token = gen_random_uuid()`);
    const after = await readHistory(database.pool);
    await expect(installation.unconfirmed(after)).resolves.toBeUndefined();
    expect(installation.unconfirmed(after)).toBeUndefined();
    await expect(installation.unconfirmed(before)).rejects.toBeInstanceOf(HistoryChanged);

    await database.pool.query(`update database_history set token = gen_random_uuid()`);
    await database.pool.query(`update installation set home = 'elsewhere'`);
    await expect(installation.unconfirmed(await readHistory(database.pool))).rejects.toBeInstanceOf(InstallationMoved);
  });

  it('is looked at again after a connection was lost, and not before', async () => {
    const installation = installationOf(database);
    await installation.require();
    await database.pool.query(`update installation set home = 'elsewhere'`);
    expect(installation.unconfirmed()).toBeUndefined();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`,
    );
    await client.end();
    await eventually(() => {
      const asked = installation.unconfirmed();
      asked?.catch(() => undefined);
      expect(asked).toBeDefined();
    });
    await expect(installation.require()).rejects.toBeInstanceOf(InstallationMoved);
  });
});
