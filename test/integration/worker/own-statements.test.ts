import { createPool } from '../../../src/db/pool';
import { UsageMeter } from '../../../src/worker/handlers/usage-meter';
import { OwnStatements } from '../../../src/worker/settle/own-statements';
import { NO_DELIVERIES } from '../../support/deliveries';
import { countRows } from '../../support/rows';
import { WorkerDatabase } from '../../support/settler';

/** The tables that a worker writes when it settles events. */
const WRITTEN = [
  'crash_trials',
  'dead_letters',
  'deliveries',
  'delivery_queue',
  'event_state',
  'handler_effects',
  'outbox',
  'processing_attempts',
  'retry_schedule',
  'usage_daily',
];
const READ = ['database_history', 'destination_failures', 'destinations', 'event_revisions', 'events'];

describe('the own statements of a worker', () => {
  const database = new WorkerDatabase();
  const own = (pool = database.pool): OwnStatements =>
    new OwnStatements({ DLQ_COPY: true }, pool, [new UsageMeter()], NO_DELIVERIES);

  it('succeed, and leave nothing behind', async () => {
    await expect(own().succeed()).resolves.toBe(true);
    for (const table of WRITTEN) expect([table, await countRows(database.pool, table)]).toEqual([table, 0]);
  });

  it.each([...WRITTEN, ...READ])('fail while the table %s is being replaced', async (table) => {
    await database.pool.query(`alter table ${table} rename to replaced`);
    try {
      await expect(own().succeed()).resolves.toBe(false);
    } finally {
      await database.pool.query(`alter table replaced rename to ${table}`);
    }
  });

  it('fail while the database is read-only', async () => {
    const name = new URL(database.url).pathname.slice(1);
    await database.pool.query(`alter database ${name} set default_transaction_read_only = on`);
    const readOnly = createPool(database.url, 'read-only');
    try {
      await expect(own(readOnly).succeed()).resolves.toBe(false);
    } finally {
      await readOnly.end();
      await database.pool.query(`alter database ${name} reset default_transaction_read_only`);
    }
  });

  it('fail while the destinations cannot be read', async () => {
    const deliveries = { plan: () => Promise.reject(new Error('relation "destinations" does not exist')) };
    await expect(new OwnStatements({ DLQ_COPY: true }, database.pool, [], deliveries).succeed()).resolves.toBe(false);
  });
});
