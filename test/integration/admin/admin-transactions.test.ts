import { Logger } from '@nestjs/common';
import { AdminTransactions } from '../../../src/admin/endpoint/admin-transactions';
import { classifyPgError } from '../../../src/db/pg-errors';
import { createPool, type Db } from '../../../src/db/pool';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventually } from '../../support/eventually';

describe('AdminTransactions', () => {
  let database: TestDatabase;
  let transactions: AdminTransactions;
  beforeAll(async () => {
    Logger.overrideLogger(false);
    database = await createTestDatabase({ migrated: false });
    await database.pool.query('create table notes (text text)');
    transactions = new AdminTransactions(database.pool);
  });
  afterAll(() => database.drop());

  const note = (db: Db, text: string) => db.query('insert into notes values ($1)', [text]);
  const notes = async (): Promise<unknown> =>
    (await database.pool.query<{ text: string }>('select text from notes')).rows.map(({ text }) => text);

  it('commits what the work returns and rolls back what it throws', async () => {
    await transactions.run((db) => note(db, 'kept'));
    const failed = transactions.run(async (db) => {
      await note(db, 'dropped');
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    expect(await notes()).toEqual(['kept']);
  });

  it('runs again after its connection broke between two statements', async () => {
    let runs = 0;
    const done = transactions.run(async (db) => {
      if (++runs > 1) return 'done';
      const { rows } = await db.query<{ pid: number }>('select pg_backend_pid() as pid');
      const ended = new Promise<void>((resolve) => db.once('end', resolve));
      await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
      await ended;
      return 'lost';
    });
    await expect(done).resolves.toBe('done');
  });

  it('I14: reports an outage as such', async () => {
    const unreachable = createPool('postgres://nobody@127.0.0.1:1/none', 'test');
    const failed = new AdminTransactions(unreachable).run(() => Promise.resolve());
    expect(classifyPgError(await failed.catch((error: unknown) => error))).toBe('unavailable');
    await unreachable.end();
  });

  it('I10: leaves connections for ingest while many admin changes are running', async () => {
    let [running, most] = [0, 0];
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const changes = Array.from({ length: 30 }, () =>
      transactions.run(async () => {
        most = Math.max(most, ++running);
        await ended;
        running -= 1;
      }),
    );
    await eventually(() => expect(running).toBe(4));
    await database.pool.query('select 1');
    end();
    await Promise.all(changes);
    expect([running, most]).toEqual([0, 4]);
  });

  it('fails with storage-unavailable after a change has waited for five seconds, and recovers', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const running = Array.from({ length: 4 }, () => transactions.run(() => ended));
    await expect(transactions.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'storage-unavailable' });
    end();
    await Promise.all(running);
    await expect(transactions.run(() => Promise.resolve('done'))).resolves.toBe('done');
  }, 15_000);
});
