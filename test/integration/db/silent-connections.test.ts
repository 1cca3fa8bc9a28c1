import { classifyPgError } from '../../../src/db/pg-errors';
import { createPool } from '../../../src/db/pool';
import { atTheEnd, closeAll } from '../../support/broker/closing';
import { openProxy } from '../../support/broker/proxy';
import { createTestDatabase, type TestDatabase } from '../../support/database';

/** A statement alone would wait for 35 s. */
const REPLACED_WITHIN_MS = 30_000;
const CONNECTIONS = 3;

describe('connections on which nothing arrives any more', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterEach(closeAll);
  afterAll(() => database.drop());

  it('are replaced, idle ones as well, and a statement that only runs for long is left alone', async () => {
    const proxy = await openProxy(database.url);
    const pool = createPool(proxy.url, 'silent');
    atTheEnd(() => pool.end());
    await Promise.all(Array.from({ length: CONNECTIONS }, () => pool.query('select pg_sleep(0.1)')));
    expect(pool.totalCount).toBe(CONNECTIONS);
    proxy.silence();
    const startedMs = performance.now();
    const failed = pool.query('select 1').catch((error: unknown) => classifyPgError(error));
    const [one, two] = [await pool.connect(), await pool.connect()]; // the other two
    const slow = pool.query<{ n: number }>('select 1 as n from pg_sleep(6)');
    one.release();
    two.release();
    expect(await failed).toBe('unavailable');
    expect(performance.now() - startedMs).toBeLessThan(REPLACED_WITHIN_MS);
    for (let i = 0; i < CONNECTIONS; i++) {
      expect((await pool.query<{ n: number }>('select 2 as n')).rows).toEqual([{ n: 2 }]);
    }
    expect((await slow).rows).toEqual([{ n: 1 }]);
    expect(performance.now() - startedMs).toBeLessThan(REPLACED_WITHIN_MS);
  });
});
