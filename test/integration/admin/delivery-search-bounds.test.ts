import type { ActingOperator } from '../../../src/access/acting-operator';
import { deliveriesStatement } from '../../../src/admin/deliveries/delivery-search.queries';
import {
  deliveryCriteriaOf,
  findMatchingDeliveries,
  FROM_THE_TOP,
  type DeliveryFilter,
} from '../../../src/admin/deliveries/matching-deliveries';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { rowsReadBy } from '../../support/rows-read';
import { useDatabase } from '../../support/fixtures/database';
import { givenEvents } from '../../support/rows';

const CROWD = 30_000;
/** Several times what a page examines, and a fraction of the crowd. */
const MOST_READ = 12_000;

describe(`the search for deliveries beside ${CROWD} of another tenant`, () => {
  const database = useDatabase();
  const keys: string[] = [];
  let quiet: string;
  let crowded: string;

  beforeAll(async () => {
    const { pool } = database;
    quiet = await givenDestinationRow(pool, { tenantId: 'quiet' });
    crowded = await givenDestinationRow(pool, { tenantId: 'crowd' });
    for (const status of ['OPEN', 'FAILED'] as const) {
      const [event] = await givenEvents(pool, 1, { payload: { status } }, 'quiet');
      await givenDelivery(pool, { eventId: event?.id ?? '', destinationId: quiet, tenantId: 'quiet', status });
      keys.push(event?.id ?? '');
    }
    // Newer than those of the quiet tenant.
    await pool.query(
      `with made as (
         insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, failed_at)
         select ('7f' || substr(md5(i::text), 3))::uuid, $2, 1, 'crowd', 'order.paid',
                case when i % 2 = 0 then 'OPEN' else 'FAILED' end, case when i % 2 = 1 then now() end
           from generate_series(1, 2 * $1::integer) i
         returning event_id, status)
       insert into delivery_queue (event_id, destination_id, generation)
       select event_id, $2, 1 from made where status = 'OPEN'`,
      [CROWD, crowded],
    );
    await pool.query('vacuum analyze deliveries, delivery_queue, events, destinations');
  }, 60_000);

  const read = async (filter: DeliveryFilter, acting: Pick<ActingOperator, 'tenantIds'>): Promise<number> => {
    const { text, values } = await deliveriesStatement(
      database.pool,
      deliveryCriteriaOf(filter, acting, FROM_THE_TOP),
      50,
    );
    return rowsReadBy(database.pool, { text, values });
  };

  const bound = { tenantIds: ['quiet'] };
  const boundToTwo = { tenantIds: ['quiet', 'no-such-tenant'] };
  const anybody = { tenantIds: null };

  it.each<[string, DeliveryFilter, Pick<ActingOperator, 'tenantIds'>]>([
    ['PENDING, for an operator of one tenant', { status: 'PENDING' }, bound],
    ['PENDING, for an operator of two tenants', { status: 'PENDING' }, boundToTwo],
    ['FAILED, for an operator of two tenants', { status: 'FAILED' }, boundToTwo],
    ['all, for an operator of two tenants', {}, boundToTwo],
    ['FAILED of a tenant', { status: 'FAILED', tenantId: 'quiet' }, anybody],
    ['PENDING of a tenant', { status: 'PENDING', tenantId: 'quiet' }, anybody],
    ['FAILED of a type that nobody sends', { status: 'FAILED', type: 'no.such' }, anybody],
    [
      'FAILED of a crowded tenant, of a type that nobody sends',
      { status: 'FAILED', type: 'no.such' },
      { tenantIds: ['crowd', 'quiet'] },
    ],
    ['PENDING of a crowded tenant', { status: 'PENDING' }, { tenantIds: ['crowd'] }],
  ])('reads a bounded number of rows: %s', async (_what, filter, acting) => {
    expect(await read(filter, acting)).toBeLessThan(MOST_READ);
  });

  it.each<[DeliveryFilter]>([
    [{}],
    [{ status: 'FAILED' }],
    [{ status: 'PENDING' }],
    [{ tenantId: 'quiet', status: 'FAILED' }],
  ])('names events before deliveries, as retention locks them, when filtered by %j', async (filter) => {
    const criteria = deliveryCriteriaOf(filter, anybody, FROM_THE_TOP);
    const { text } = await deliveriesStatement(database.pool, criteria, 50);
    expect(text.search(/\bevents\b/)).toBeLessThan(text.search(/\bdeliver(ies|y_status)\b/));
  });

  it.each([
    ['PENDING', 0],
    ['FAILED', 1],
  ] as const)('finds the %s delivery of a quiet tenant on the first page', async (status, n) => {
    for (const acting of [bound, boundToTwo] as unknown as ActingOperator[]) {
      const found = await findMatchingDeliveries(database.pool, { status }, acting, 10);
      expect(found.map(({ id }) => id)).toEqual([keys[n]]);
    }
  });
});
