import { storeBatch } from '../../src/ingest/store-batch';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { prepared } from '../support/events';

describe('storing a batch', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const count = async (table: string): Promise<number> => {
    const { rows } = await database.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`);
    return rows[0]?.n ?? 0;
  };

  it('I1: writes event, keys and outbox entry together', async () => {
    const event = prepared({ eventId: 'first' });
    await expect(storeBatch(database.pool, [event])).resolves.toMatchObject([{ kind: 'accepted' }]);
    expect([await count('events'), await count('idempotency_keys'), await count('outbox')]).toEqual([1, 2, 1]);
  });
});
