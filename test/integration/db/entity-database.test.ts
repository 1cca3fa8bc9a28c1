import { Logger } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { EntityDatabase } from '../../../src/db/entity-database';
import { classifyPgError } from '../../../src/db/pg-errors';
import { createTestDatabase, type TestDatabase } from '../../support/database';

describe('the database of the admin side', () => {
  let database: TestDatabase;
  let entities: EntityDatabase;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase();
    entities = new EntityDatabase(database.url, []);
  });
  afterAll(async () => {
    await entities.onApplicationShutdown();
    await database.drop();
  });

  it('I14: a connection that breaks between two statements of a transaction is an outage, no fault of ours', async () => {
    const broken = entities.transaction(async ({ db }) => {
      const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
      const ended = new Promise<void>((resolve) => (db as PoolClient).once('end', resolve));
      await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await ended;
    });
    const error: unknown = await broken.catch((reason: unknown) => reason);
    expect((error as Error).name).toBe('QueryRunnerAlreadyReleasedError');
    expect(classifyPgError(error)).toBe('unavailable');
  });
});
