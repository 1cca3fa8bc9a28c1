import { createPool } from '../../../src/db/pool';
import { Incarnation } from '../../../src/redis/incarnation';
import { useDatabase } from '../../support/fixtures/database';

describe('the incarnation of the database', () => {
  const database = useDatabase();

  it('is read again after a connection was opened, because it may lead to another server, and not before', async () => {
    const pool = createPool(database.url, 'test');
    try {
      const incarnation = new Incarnation(pool);
      const before = await incarnation.current();
      await database.pool.query('update installation set incarnation = gen_random_uuid()');
      const first = await pool.connect(); // the one that is idle
      expect(await incarnation.current()).toBe(before);
      (await pool.connect()).release();
      const after = await incarnation.current();
      expect(after).not.toBe(before);
      expect(incarnation.lastKnown()).toBe(after);
      first.release();
    } finally {
      await pool.end();
    }
  });
});
