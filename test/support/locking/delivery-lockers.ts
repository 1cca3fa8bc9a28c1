import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { inTransaction, type Db } from '../../../src/db/pool';
import { closeDestination } from '../../../src/delivery-state/close-destination.queries';
import type { DeliveryKey } from '../../../src/delivery-state/delivery';
import {
  excuseFailures,
  forgetFailures,
  recordHealth,
  type DestinationFailure,
} from '../../../src/delivery-state/destination-failures.queries';
import { discardDeliveries } from '../../../src/delivery-state/discard-deliveries.queries';
import { lockKeys } from '../../../src/delivery-state/order/ordered-keys.queries';
import { turnKeys } from '../../../src/delivery-state/order/turn-keys';
import type { OrderedKey } from '../../../src/event/ordered-key';
import {
  hurryDeliveries,
  reopenDeliveries,
  reviseDeliveries,
} from '../../../src/delivery-state/reopen-deliveries.queries';
import {
  releaseDeliveries,
  settleAttempts,
  type EndedAttempt,
} from '../../../src/delivery-state/settle-deliveries.queries';
import { disable, givenDestinationRow } from '../deliveries';
import { DESTINATION } from './event-lockers';
import type { Locker } from './locker';

const LEASE = randomUUID();
const destinations = { enabled: '', disabled: '' };

/** The deliveries of these events to both destinations, in the order of the events. */
const keysOf = (ids: readonly string[]): DeliveryKey[] =>
  ids.flatMap((eventId) =>
    Object.values(destinations).map((destinationId) => ({ eventId, destinationId, generation: 1 })),
  );

/** Half of the deliveries have failed. The leases of the others have expired, and nobody has taken them over. */
export async function layDeliveries(pool: Pool, heap: readonly string[]): Promise<void> {
  for (const table of ['deliveries', 'delivery_queue', 'destinations']) await pool.query(`delete from ${table}`);
  destinations.enabled = await givenDestinationRow(pool);
  destinations.disabled = await givenDestinationRow(pool);
  await disable(pool, destinations.disabled);
  await pool.query('update destinations set id = $2 where id = $1', [await givenDestinationRow(pool), DESTINATION]);
  const rows = `unnest($1::uuid[]) with ordinality as t (id, i) cross join unnest($2::uuid[]) as to_ (id)`;
  const values = [heap, Object.values(destinations).reverse()];
  await pool.query(
    `insert into deliveries (event_id, destination_id, generation, tenant_id, type, status, attempts, failed_at)
     select t.id, to_.id, 1, 'acme', 'order.paid', case i % 2 when 0 then 'FAILED' else 'OPEN' end, 1,
            case i % 2 when 0 then now() end from ${rows}`,
    values,
  );
  await pool.query(
    `insert into delivery_queue (event_id, destination_id, generation, due_at, lease)
     select t.id, to_.id, 1, now() - make_interval(secs => i), $3 from ${rows} where i % 2 = 1`,
    [...values, LEASE],
  );
}

const ended = (key: DeliveryKey, i: number): EndedAttempt => ({
  ...key,
  lease: LEASE,
  status: (['DELIVERED', 'OPEN', 'FAILED'] as const)[i % 3] ?? 'OPEN',
  usesTry: true,
  exhausted: false,
  waitSeconds: 0,
  reasonCode: 'HTTP_5XX',
  statusCode: 500,
  error: null,
  durationMs: 1,
  responseExcerpt: null,
});

const locker = (name: string, run: (db: Db, keys: DeliveryKey[]) => Promise<unknown>): Locker => ({
  name,
  tables: ['deliveries', 'delivery_queue'],
  run: (pool, { ids }) => inTransaction(pool, (db) => run(db, keysOf(ids))),
});

/** Half of the destinations have failures. */
export async function layFailures(pool: Pool, heap: readonly string[]): Promise<void> {
  await pool.query('delete from destination_failures');
  await pool.query(
    `insert into destination_failures (destination_id, last_reason_code)
     select id, 'TIMEOUT' from unnest($1::uuid[]) with ordinality as t (id, i) where i % 4 < 2`,
    [heap],
  );
}

const failing = (ids: readonly string[]): DestinationFailure[] =>
  ids.map((destinationId) => ({
    destinationId,
    effect: 'same',
    reasonCode: 'TIMEOUT',
    statusCode: null,
    error: null,
  }));

const ofDestinations = (name: string, run: (db: Db, ids: readonly string[]) => Promise<unknown>): Locker => ({
  name,
  tables: ['destination_failures'],
  run: (pool, { ids }) => inTransaction(pool, (db) => run(db, ids)),
});

const orderedKeysOf = (ids: readonly string[]): OrderedKey[] =>
  ids.map((id) => ({ tenantId: 'acme', orderKey: String(parseInt(id.slice(-10), 16)) }));

/** What locks several deliveries, rows of their queue, or what is stored of their destinations. */
export const DELIVERY_LOCKERS: readonly Locker[] = [
  locker('reopenDeliveries', reopenDeliveries),
  locker('hurryDeliveries', hurryDeliveries),
  locker('discardDeliveries', discardDeliveries),
  locker('reviseDeliveries', async (db, keys) => {
    for (const id of [...new Set(keys.map(({ eventId }) => eventId))].sort()) await reviseDeliveries(db, id, 2);
  }),
  locker('settleAttempts', (db, keys) => settleAttempts(db, keys.map(ended), 'test')),
  locker('releaseDeliveries', (db, keys) =>
    releaseDeliveries(
      db,
      keys.map((key) => ({ ...key, lease: LEASE, waitSeconds: 0 })),
    ),
  ),
  locker('closeDestination', (db) => closeDestination(db, destinations.disabled, 1_000)),
  // Each event has a key of its own. Idle keys are forgotten at once.
  {
    name: 'lockKeys',
    tables: ['ordered_keys'],
    run: (pool, { ids }) => inTransaction(pool, (db) => turnKeys(db, orderedKeysOf(ids))),
  },
  {
    name: 'lockKeys',
    tables: ['ordered_keys'],
    run: (pool, { ids }) => inTransaction(pool, (db) => lockKeys(db, orderedKeysOf(ids).toReversed())),
  },
  ofDestinations('recordFailures', (db, ids) => recordHealth(db, [], failing(ids))),
  ofDestinations('forgetFailures', forgetFailures),
  ofDestinations('excuseFailures', excuseFailures),
  // By way of recordHealth: one half of the destinations had successes, and the other half failures.
  ofDestinations('lockFailures', (db, ids) =>
    recordHealth(db, ids.slice(ids.length / 2), failing(ids.slice(0, ids.length / 2))),
  ),
];
