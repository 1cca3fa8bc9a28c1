import { createPool } from '../../../src/db/pool';
import { classifyPgError } from '../../../src/db/pg-errors';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { FAILING } from '../../support/failing-handler';
import { attemptRows, countRows, delivered } from '../../support/rows';
import { SettlerFixture, settlerOf } from '../../support/settler';

describe('the settler, when PostgreSQL refuses statements', () => {
  const given = new SettlerFixture();
  const databaseName = () => new URL(given.url).pathname.slice(1);

  it.each(['processing_attempts', 'usage_daily', 'event_state'])(
    'charges no attempt while the table %s is being replaced, and settles afterwards',
    async (table) => {
      const event = await given.given();
      await given.pool.query(`alter table ${table} rename to replaced`);
      const failed = await given.settle(delivered(event)).then(
        () => 'settled',
        (error: unknown) => classifyPgError(error),
      );
      await given.pool.query(`alter table replaced rename to ${table}`);
      expect(failed).toBe('unavailable');
      await expect(countRows(given.pool, 'processing_attempts')).resolves.toBe(0);
      await given.settle(delivered(event));
      await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status: 'SUCCESS', attemptNumber: 1 }]);
    },
  );

  it.each([
    [
      'a deferred trigger of its effects fails when the transaction commits',
      `insert into effects values ('x')`,
      'RETRY',
    ],
    ['it gives up its rights', 'set local role pg_monitor', 'RETRY'],
    // Tried alone, it runs in a savepoint, whose end takes this back.
    ['it leaves the transaction read-only', 'set local transaction_read_only = on', 'SUCCESS'],
  ])('does not wait for a handler after which our own statements fail: %s', async (_what, statement, status) => {
    const [event, neighbour] = [await given.given(FAILING), await given.given()];
    await given.pool.query(
      `create function refuse() returns trigger language plpgsql as $$ begin perform no_such_function(); end $$;
       create constraint trigger refuse after insert on effects deferrable initially deferred
         for each row execute function refuse()`,
    );
    try {
      given.failing.run = async (_events, db) => void (await db.query(statement));
      // The usage meter, which is ours, runs after it.
      const settler = settlerOf(given.pool, [given.failing, new UsageMeter()]);
      await settler.settle([delivered(event), delivered(neighbour)]);
    } finally {
      await given.pool.query('drop trigger refuse on effects; drop function refuse()');
    }
    await expect(attemptRows(given.pool, event)).resolves.toMatchObject([{ status, attemptNumber: 1 }]);
    await expect(attemptRows(given.pool, neighbour)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
  });

  it('charges no attempt while the database is read-only', async () => {
    const event = await given.given(FAILING);
    await given.pool.query(`alter database ${databaseName()} set default_transaction_read_only = on`);
    const readOnly = createPool(given.url, 'read-only');
    try {
      await expect(given.settler(readOnly).settle([delivered(event)])).rejects.toMatchObject({ code: '25006' });
    } finally {
      await readOnly.end();
      await given.pool.query(`alter database ${databaseName()} reset default_transaction_read_only`);
    }
    await expect(countRows(given.pool, 'processing_attempts')).resolves.toBe(0);
  });

  it.each([
    ['42P01', 'select from no_such_table'],
    ['42501', 'set local role pg_monitor; select from events'],
    ['25006', `set local transaction_read_only = on; insert into effects values ('x')`],
    ['42883', 'select no_such_function()'],
  ])("charges an attempt for a handler's own %s, and completes the others", async (code, statement) => {
    const [event, neighbour] = [await given.given(FAILING), await given.given()];
    given.failing.run = async (_events, db) => void (await db.query(statement));
    await given.settle(delivered(event), delivered(neighbour));
    const [attempt] = await attemptRows(given.pool, event);
    expect([code, attempt]).toMatchObject([code, { status: 'RETRY', attemptNumber: 1, reasonCode: 'HANDLER_ERROR' }]);
    await expect(attemptRows(given.pool, neighbour)).resolves.toMatchObject([{ status: 'SUCCESS' }]);
  });
});
