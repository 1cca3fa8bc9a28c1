import { AdminToken } from '../../../src/access/admin-token';
import { createTestDatabase, type TestDatabase } from '../../support/database';

describe('the admin token', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  const tokenOf = (set?: string): AdminToken => new AdminToken({ ADMIN_TOKEN: set }, database.pool);

  it('is generated once for all processes that start at the same time, and for later ones', async () => {
    const tokens = await Promise.all(Array.from({ length: 5 }, () => tokenOf().value()));
    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).toMatch(/^[\w-]{24}$/);
    expect(await tokenOf().value()).toBe(tokens[0]);
  });

  it('is the setting where it is set, and then nothing is stored', async () => {
    await database.pool.query('update installation set admin_token = null');
    expect(await tokenOf('chosen').value()).toBe('chosen');
    const { rows } = await database.pool.query<{ token: unknown }>('select admin_token as token from installation');
    expect(rows).toEqual([{ token: null }]);
  });
});
