import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { deliveryStatusOf, STORED_DELIVERY_STATUSES } from '../../../src/delivery-state/delivery';
import { eventStatusOf, type DeliveryPart } from '../../../src/event/event-status';
import { uuidV7 } from '../../../src/event/uuid-v7';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { givenDestinationRow } from '../../support/deliveries';
import { givenEvents } from '../../support/rows';

/** MODEL_SEED repeats a run; MODEL_RUNS makes it longer. */
const seed = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000);
const numRuns = Number(process.env.MODEL_RUNS ?? 25);

const DESTINATIONS = 4;
/** The destinations with these indexes are paused. */
const PAUSED = [2, 3];
const STATES = [null, 'DISPATCHED', 'RETRYING', 'COMPLETED', 'DLQ', 'DISCARDED'] as const;

const aDelivery = fc.record({
  destination: fc.nat(DESTINATIONS - 1),
  generation: fc.integer({ min: 1, max: 3 }),
  status: fc.oneof(fc.constant('OPEN' as const), fc.constantFrom(...STORED_DELIVERY_STATUSES)),
  attempts: fc.nat(2),
  hasLease: fc.boolean(),
  due: fc.boolean(),
  /** It waits for others of its key: then it is neither leased nor due. */
  parked: fc.boolean(),
  replayed: fc.boolean(),
  settledMinute: fc.nat(9),
});
type Delivery = typeof aDelivery extends fc.Arbitrary<infer T> ? T : never;

const anEvent = fc.record({
  published: fc.boolean(),
  state: fc.constantFrom(...STATES),
  generation: fc.integer({ min: 1, max: 2 }),
  /** The generations in which the handlers have succeeded. */
  succeeded: fc.oneof(fc.constant<number[]>([1, 2]), fc.subarray<number>([1, 2])),
  deliveries: fc.uniqueArray(aDelivery, { maxLength: 6, selector: (d) => `${d.destination} ${d.generation}` }),
});
type GivenEvent = typeof anEvent extends fc.Arbitrary<infer T> ? T : never;

const partOf = ({ destination, status, attempts, hasLease, due, parked }: Delivery): DeliveryPart => ({
  status,
  attempts,
  leased: status === 'OPEN' && hasLease && !due && !parked,
  due: due && !parked,
  paused: PAUSED.includes(destination),
  parked,
});

function expectedStatus({ published, state, generation, succeeded, deliveries }: GivenEvent): string {
  const newest = deliveries.filter((d) =>
    deliveries.every((other) => other.destination !== d.destination || other.generation <= d.generation),
  );
  const current = state === null ? 1 : generation;
  const handlersDone = succeeded.includes(current);
  return eventStatusOf({ published, state, handlersDone, deliveries: newest.map(partOf) });
}

/** Generation n of the handlers succeeds in minute n. */
const atMinute = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 0, minute));

/** An event completes when its handlers and its own deliveries are done, or if those failed, when later ones are. */
function expectedCompletion(event: GivenEvent): Date | null {
  const { state, generation, succeeded, deliveries } = event;
  const current = state === null ? 1 : generation;
  if (!succeeded.includes(current)) return null;
  const newestOf = (among: Delivery[]): Delivery[] =>
    among.filter((d) =>
      among.every((other) => other.destination !== d.destination || other.generation <= d.generation),
    );
  const lastOf = (among: Delivery[]): Date =>
    atMinute(Math.max(current, ...among.filter((d) => d.status !== 'OPEN').map((d) => d.settledMinute)));
  const own = newestOf(deliveries.filter((d) => !d.replayed));
  if (own.every(({ status }) => status === 'DELIVERED' || status === 'SKIPPED')) return lastOf(own);
  return expectedStatus(event) === 'COMPLETED' ? lastOf(newestOf(deliveries)) : null;
}

async function insertRows(pool: Pool, table: string, columns: string, rows: readonly object[]): Promise<void> {
  await pool.query(
    `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1)`,
    [JSON.stringify(rows)],
  );
}

const anHourAway = (past: boolean): string => new Date(Date.now() + (past ? -3_600_000 : 3_600_000)).toISOString();

async function store(pool: Pool, given: readonly GivenEvent[], destinationIds: readonly string[]): Promise<string[]> {
  const ids = (await givenEvents(pool, given.length)).map(({ id }) => id);
  const published = ids.filter((_, i) => given[i]?.published);
  await pool.query(`update outbox set status = 'PUBLISHED', closed_at = now() where event_id = any ($1)`, [published]);
  const about = given.map((event, i) => ({ ...event, event_id: ids[i] as string }));
  await insertRows(
    pool,
    'event_state',
    'event_id, status, generation, dispatch_no, attempts, updated_at',
    about.flatMap(({ event_id, state, generation }) =>
      state ? [{ event_id, status: state, generation, dispatch_no: 2, attempts: 1, updated_at: new Date() }] : [],
    ),
  );
  await insertRows(
    pool,
    'processing_attempts',
    'event_id, generation, dispatch_no, attempt_number, status, reason_code, duration_ms, worker, created_at',
    about.flatMap(({ event_id, succeeded }) =>
      succeeded.map((generation) => ({
        ...{ event_id, generation, dispatch_no: generation, attempt_number: 1, status: 'SUCCESS' },
        ...{ reason_code: 'PROCESSED', duration_ms: 1, worker: 'test', created_at: atMinute(generation) },
      })),
    ),
  );
  const rows = about.flatMap(({ event_id, deliveries }) =>
    deliveries.map((d) => ({ ...d, event_id, destination_id: destinationIds[d.destination] as string })),
  );
  await insertRows(
    pool,
    'deliveries',
    'event_id, destination_id, generation, tenant_id, type, status, attempts, tries, exhausted, replay_id, created_at, settled_at',
    rows.map((d) => ({
      ...{ ...d, tenant_id: 'acme', type: 'order.paid', tries: d.attempts, exhausted: false },
      ...{ replay_id: d.replayed ? uuidV7() : null, created_at: new Date() },
      settled_at: d.status === 'OPEN' ? null : atMinute(d.settledMinute),
    })),
  );
  await insertRows(
    pool,
    'delivery_queue',
    'event_id, destination_id, generation, due_at, lease',
    rows
      .filter(({ status }) => status === 'OPEN')
      .map((d) => ({
        ...d,
        due_at: d.parked ? '9999-12-31T00:00:00Z' : anHourAway(d.due),
        lease: d.hasLease && !d.parked ? uuidV7() : null,
      })),
  );
  return ids;
}

describe('the status of events with deliveries in any state', () => {
  let database: TestDatabase;
  let destinationIds: string[];
  beforeAll(async () => {
    database = await createTestDatabase();
    destinationIds = [];
    for (let i = 0; i < DESTINATIONS; i++) destinationIds.push(await givenDestinationRow(database.pool));
    const paused = destinationIds.filter((_, i) => PAUSED.includes(i));
    await database.pool.query('update destinations set paused_at = now() where id = any ($1)', [paused]);
  });
  afterAll(() => database.drop());

  it('is the same in event_status and delivery_status as in the pure functions', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anEvent, { minLength: 10, maxLength: 40 }), async (given) => {
        const ids = await store(database.pool, given, destinationIds);
        const events = await database.pool.query<{ event_id: string; status: string; completed_at: string | null }>(
          'select event_id, status, completed_at from event_status where event_id = any ($1)',
          [ids],
        );
        const seen = new Map(events.rows.map((row) => [row.event_id, row.status]));
        expect(ids.map((id) => seen.get(id))).toEqual(given.map(expectedStatus));
        const completed = new Map(events.rows.map((row) => [row.event_id, row.completed_at]));
        const instants = ids.map((id) => completed.get(id) ?? null).map((at) => at && new Date(at).toISOString());
        expect(instants).toEqual(given.map((event) => expectedCompletion(event)?.toISOString() ?? null));

        const deliveries = await database.pool.query<{ key: string; status: string }>(
          `select concat_ws(' ', event_id, destination_id, generation) as key, status
             from delivery_status where event_id = any ($1)`,
          [ids],
        );
        const expected = given.flatMap((event, i) =>
          event.deliveries.map((d): [string, string] => [
            `${ids[i]} ${destinationIds[d.destination]} ${d.generation}`,
            deliveryStatusOf(partOf(d)),
          ]),
        );
        expect(Object.fromEntries(deliveries.rows.map(({ key, status }) => [key, status]))).toEqual(
          Object.fromEntries(expected),
        );
      }),
      { seed, numRuns },
    );
  });
});
