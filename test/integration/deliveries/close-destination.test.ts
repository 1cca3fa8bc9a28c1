import { inTransaction, type Db } from '../../../src/db/pool';
import { closeDestination, listClosedBacklogs } from '../../../src/delivery-state/close-destination.queries';
import { disable, givenDestinationRow } from '../../support/deliveries';
import { useDatabase } from '../../support/fixtures/database';
import { rowsReadWhile } from '../../support/rows-read';
import { uuidV7 } from '../../../src/event/uuid-v7';

const BACKLOG = 20_000;
const AT_ONCE = 100;
/** A few reads of each delivery that is closed, and a fraction of the backlog. */
const MOST_READ = 2_000;

describe(`closing a destination with a backlog of ${BACKLOG}`, () => {
  const database = useDatabase();
  let destinationId: string;

  beforeAll(async () => {
    const { pool } = database;
    destinationId = await givenDestinationRow(pool);
    await disable(pool, destinationId);
    // The statistics are from a time when the tables were empty.
    await pool.query('alter table delivery_queue set (autovacuum_enabled = false)');
    await pool.query('analyze delivery_queue, deliveries, destinations');
    await pool.query(
      `with made as (
         insert into deliveries (event_id, destination_id, generation, tenant_id, type, status)
         select (left($2, 13) || substr(md5(i::text), 1, 20))::uuid, $3, 1, 'acme', 'order.paid', 'OPEN'
           from generate_series(1, $1::integer) i
         returning event_id)
       insert into delivery_queue (event_id, destination_id, generation, due_at)
       select event_id, $3, 1, now() - make_interval(secs => row_number() over ()) from made`,
      [BACKLOG, uuidV7(), destinationId],
    );
  }, 60_000);

  it.each([
    ['closeDestination', (db: Db) => closeDestination(db, destinationId, AT_ONCE)],
    ['listClosedBacklogs', (db: Db) => listClosedBacklogs(db, AT_ONCE)],
  ])('%s reads a bounded number of rows, whatever the statistics say', async (_name, work) => {
    const undone = (): boolean => false;
    const read = await inTransaction(database.pool, (db) => rowsReadWhile(db, work), undone);
    expect(read).toBeLessThan(MOST_READ);
  });
});
