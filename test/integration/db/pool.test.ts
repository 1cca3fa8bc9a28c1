import { setTimeout as sleep } from 'node:timers/promises';
import { closePool } from '../../../src/db/close-pool';
import { onOtherServer } from '../../../src/db/other-server';
import { classifyPgError } from '../../../src/db/pg-errors';
import { createPool, queryWithSettings } from '../../../src/db/pool';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openProxy } from '../../support/broker/proxy';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { countRows } from '../../support/rows';

describe('queryWithSettings', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.pool.query('create table written (n integer not null)');
  });
  afterAll(() => database.drop());

  it('applies the settings, commits the statement, and resets the settings', async () => {
    const own = createPool(database.url, 'one connection');
    own.options.max = 1;
    try {
      const text = `with w as (insert into written values ($1)) select current_setting('enable_sort') as sort`;
      const { rows } = await queryWithSettings<{ sort: string }>(own, 'set local enable_sort = off', {
        text,
        values: [1],
      });
      expect(rows).toEqual([{ sort: 'off' }]);
      await expect(countRows(database.pool, 'written')).resolves.toBe(1);
      expect((await own.query<{ sort: string }>('show enable_sort')).rows).toEqual([{ enable_sort: 'on' }]);
    } finally {
      await own.end();
    }
  });

  it('throws the error of the statement, writes nothing, and keeps the connection', async () => {
    const own = createPool(database.url, 'one connection');
    own.options.max = 1;
    try {
      const failing = { text: 'insert into written select null from generate_series(1, $1)', values: [2] };
      await expect(queryWithSettings(own, 'set local enable_sort = off', failing)).rejects.toMatchObject({
        code: '23502',
      });
      await expect(countRows(own, 'written where n is null')).resolves.toBe(0);
      expect(own.totalCount).toBe(1);
    } finally {
      await own.end();
    }
  });

  it('throws an error of class unavailable when the connection breaks, and uses another one afterwards', async () => {
    const own = createPool(database.url, 'breaks');
    try {
      const asked = queryWithSettings(own, 'set local enable_sort = off', { text: 'select pg_sleep(30)' });
      const failed = expect(asked.catch((error: unknown) => classifyPgError(error))).resolves.toBe('unavailable');
      const breakIt = `select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(30)' and application_name = 'breaks'`;
      while (!(await database.pool.query(breakIt)).rowCount);
      await failed;
      await expect(countRows(own, 'written where n is null')).resolves.toBe(0);
    } finally {
      await own.end();
    }
  });
});

describe('a pool that is closed', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(closeAll);
  afterAll(() => database.drop());

  const isClosed = (closing: Promise<void>): Promise<string> =>
    Promise.race([closing.then(() => 'closed'), sleep(20_000, 'still open', { ref: false })]);

  it('does not wait for a server that does not answer', async () => {
    const proxy = await openProxy(database.url);
    const pool = createPool(proxy.url, 'frozen');
    await Promise.all([pool.query('select 1'), pool.query('select 2')]);
    proxy.freeze();
    const asked = pool.query('select 3').catch((error: unknown) => classifyPgError(error));
    await expect(isClosed(closePool(pool))).resolves.toBe('closed');
    await expect(asked).resolves.toBe('unavailable');
  });

  it('does not wait for a connection that nobody gives back', async () => {
    const pool = createPool(database.url, 'forgotten');
    const client = await pool.connect();
    await expect(isClosed(closePool(pool))).resolves.toBe('closed');
    await expect(client.query('select 1')).rejects.toThrow();
  });
});

describe('onOtherServer', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(closeAll);
  afterAll(() => database.drop());

  it('tells any number of listeners, with one listener of each kind', async () => {
    const pool = createPool(database.url, 'listeners');
    atTheEnd(() => pool.end());
    const counts = () => ['connect', 'remove'].map((name) => pool.listenerCount(name));
    const before = counts();
    let told = 0;
    for (let i = 0; i < 20; i++) onOtherServer(pool, () => (told += 1));
    expect(counts()).toEqual(before.map((count) => count + 1));
    const closed = new Promise((resolve) => pool.once('remove', resolve));
    (await pool.connect()).release(true);
    await closed;
    expect(told).toBe(2 * 20); // when it was opened, and when it was closed
  });
});
