import * as fc from 'fast-check';
import type { ActingOperator } from '../../../src/access/acting-operator';
import { findMatchingDeliveries, type DeliveryFilter } from '../../../src/admin/deliveries/matching-deliveries';
import type { Event } from '../../../src/event/event';
import { givenDelivery, givenDestinationRow } from '../../support/deliveries';
import { useDatabase } from '../../support/fixtures/database';
import { givenEvents } from '../../support/rows';

const EVENTS = 120;
/** More than one page examines. Their events are gone, so none is found. */
const ORPHANS = 2_500;
const TENANTS = ['shop', 'till'];
const LEASE = '019a0000-0000-7000-8000-00000000000a';
const anybody = { tenantIds: null } as ActingOperator;

describe('the search for deliveries', () => {
  const database = useDatabase();
  let destinations: string[];
  const byTenant: Event[] = [];

  /** Every kind of delivery is found in several places. A third of the deliveries has an older generation. */
  beforeAll(async () => {
    const { pool } = database;
    destinations = [];
    for (const tenantId of [...TENANTS, ...TENANTS]) destinations.push(await givenDestinationRow(pool, { tenantId }));
    for (let i = 0; i < EVENTS; i++) {
      const tenantId = TENANTS[i % 2] as string;
      const [event] = await givenEvents(
        pool,
        1,
        { eventType: `order.${i % 3}`, subject: `s-${i % 5}`, payload: { i } },
        tenantId,
      );
      byTenant.push(event as Event);
      for (const n of [i % 2, 2 + (i % 2)]) {
        const destinationId = destinations[n] as string;
        const base = { eventId: (event as Event).id, destinationId, tenantId, type: `order.${i % 3}` };
        if (i % 3 === 0)
          await givenDelivery(pool, { ...base, status: 'FAILED', lastReasonCode: 'TIMEOUT', attempts: 1 });
        await givenDelivery(pool, { ...base, ...KINDS[(i * 7 + n) % KINDS.length], generation: i % 3 === 0 ? 2 : 1 });
      }
    }
    await pool.query(
      `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, failed_at)
       select ('7f' || substr(md5(i::text), 3))::uuid, $2, 1, 'till', 'order.1', $3, case $3 when 'FAILED' then now() end
         from generate_series(1, $1) i`,
      [ORPHANS, destinations[1], 'FAILED'],
    );
    await pool.query(
      `insert into delivery_queue (event_id, destination_id, generation)
       select event_id, destination_id, 1 from deliveries where event_id > '7f000000-0000-0000-0000-000000000000'`,
    );
    await pool.query('analyze deliveries, delivery_queue, events');
  }, 60_000);

  const KINDS = [
    {},
    { attempts: 2, lastReasonCode: 'HTTP_5XX', lastStatusCode: 503, dueInSeconds: 3_600 },
    { attempts: 1, lastReasonCode: 'TIMEOUT', lease: LEASE, dueInSeconds: 3_600 },
    { attempts: 1, lastReasonCode: 'PROCESSED', lastStatusCode: 204, status: 'DELIVERED' },
    { attempts: 10, lastReasonCode: 'HTTP_5XX', lastStatusCode: 500, exhausted: true, status: 'FAILED' },
    { attempts: 1, lastReasonCode: 'HTTP_4XX', lastStatusCode: 404, status: 'FAILED' },
    { attempts: 3, lastReasonCode: 'TIMEOUT', status: 'DISCARDED' },
    { lastReasonCode: 'DESTINATION_DISABLED', status: 'SKIPPED' },
  ] as const;

  interface Row {
    id: string;
    destinationId: string;
    tenantId: string;
    type: string;
    subject: string;
    status: string;
    reason: string | null;
    code: number | null;
    exhausted: boolean;
  }
  const rows = async (): Promise<Row[]> => {
    const found = await database.pool.query<Row>(
      `select v.event_id as id, v.destination_id as "destinationId", v.tenant_id as "tenantId", v.type, e.subject, v.status,
              v.last_reason_code as reason, v.last_status_code as code, v.exhausted
         from delivery_status v join events e on e.id = v.event_id where v.newest
        order by v.event_id desc, v.destination_id desc`,
    );
    return found.rows;
  };
  /** A plain reading of the filter. */
  const matches = (row: Row, filter: DeliveryFilter): boolean => {
    const { tenantId, destinationId, status, reasonCode, statusClass, type, subject, eventIds } = filter;
    return (
      (tenantId === undefined || row.tenantId === tenantId) &&
      (destinationId === undefined || row.destinationId === destinationId) &&
      (status === undefined || row.status === status) &&
      (reasonCode === undefined || (reasonCode === 'RETRY_EXHAUSTED' ? row.exhausted : row.reason === reasonCode)) &&
      (statusClass === undefined || (row.code === null ? 'none' : `${Math.floor(row.code / 100)}xx`) === statusClass) &&
      (type === undefined || (type.endsWith('*') ? row.type.startsWith(type.slice(0, -1)) : row.type === type)) &&
      (subject === undefined || row.subject === subject) &&
      (eventIds === undefined || eventIds.includes(row.id))
    );
  };
  const keysOf = (found: readonly { id: string; destinationId: string }[]): string[] =>
    found.map(({ id, destinationId }) => `${id} ${destinationId}`);

  it('finds exactly what the filter says, newest event first, and only the newest of each event and destination', async () => {
    const all = await rows();
    const maybe = <T>(values: readonly T[]): fc.Arbitrary<T | undefined> =>
      fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 });
    const filters = fc.record({
      tenantId: maybe([...TENANTS, 'nobody']),
      destinationId: maybe(destinations),
      status: maybe([
        'PENDING',
        'IN_FLIGHT',
        'RETRYING',
        'PARKED',
        'DELIVERED',
        'FAILED',
        'DISCARDED',
        'SKIPPED',
      ] as const),
      reasonCode: maybe(['HTTP_5XX', 'TIMEOUT', 'RETRY_EXHAUSTED', 'DESTINATION_DISABLED']),
      statusClass: maybe(['2xx', '4xx', '5xx', 'none'] as const),
      type: maybe(['order.1', 'order.*', 'other']),
      subject: maybe(['s-1']),
      eventIds: maybe([byTenant.slice(0, 30).map(({ id }) => id)]),
    });
    await fc.assert(
      fc.asyncProperty(filters, async (wanted) => {
        const filter = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
        const found = await findMatchingDeliveries(database.pool, filter, anybody, 10_000);
        expect(keysOf(found)).toEqual(keysOf(all.filter((row) => matches(row, filter as DeliveryFilter))));
      }),
      { numRuns: 150, endOnFailure: true },
    );
  }, 60_000);

  it('finds only what belongs to the tenants of the operator', async () => {
    const all = await rows();
    const bound = { tenantIds: ['till'] } as unknown as ActingOperator;
    for (const status of [undefined, 'FAILED', 'RETRYING', 'DELIVERED'] as const) {
      const filter = status === undefined ? {} : { status };
      const found = await findMatchingDeliveries(database.pool, filter, bound, 10_000);
      expect(keysOf(found)).toEqual(keysOf(all.filter((row) => row.tenantId === 'till' && matches(row, filter))));
    }
    await expect(findMatchingDeliveries(database.pool, { tenantId: 'shop' }, bound, 10)).resolves.toEqual([]);
  });
});
