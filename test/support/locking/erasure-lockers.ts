import type { Pool } from 'pg';
import { eraseAs } from '../../../src/admin/erasures/erasure-acts';
import { inTransaction } from '../../../src/db/pool';
import { uuidV7 } from '../../../src/event/uuid-v7';
import type { Locker, LockedRows } from './locker';

/** One step of an erasure, without the lock that keeps two of them apart. */
const eraseEvents = (pool: Pool, { ids }: LockedRows): Promise<unknown> =>
  inTransaction(
    pool,
    (db) => eraseAs(uuidV7()).events(db, ids),
    (counts) => counts !== undefined,
  );

/** What an erasure locks, which is the same in both: they differ in whom they meet. */
export const ERASURE_LOCKERS: readonly Locker[] = [
  { name: 'settleErased', tables: ['event_state', 'processing_attempts'], run: eraseEvents },
  {
    name: 'skipErasedDeliveries',
    tables: ['deliveries', 'delivery_queue', 'destination_failures'],
    run: eraseEvents,
  },
];
