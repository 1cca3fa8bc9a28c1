import type { Pool } from 'pg';
import { inTransaction } from '../../../src/db/pool';
import {
  discardRejections,
  lockForResubmission,
  markResubmitted,
} from '../../../src/rejections/settle-rejections.queries';
import type { Locker } from './locker';

export async function layRejections(pool: Pool, heap: readonly string[]): Promise<void> {
  await pool.query('delete from rejections');
  await pool.query(
    `insert into rejections (id, tenant_id, endpoint, code, message, correlation_id, received_at, size_bytes, digest, body)
     select id, 'acme', 'event', 'invalid-event', '', 'c-1', now(), 1, '\\x00', '\\x00' from unnest($1::uuid[]) as t (id)`,
    [heap],
  );
}

/** What locks several rejections. */
export const REJECTION_LOCKERS: readonly Locker[] = [
  {
    name: 'lockForResubmission',
    tables: ['rejections'],
    run: (pool, { ids }) =>
      inTransaction(pool, async (db) => {
        const locked = await lockForResubmission(db, ids, 'OPEN');
        await markResubmitted(
          db,
          locked.map((id) => ({ id, eventId: id, duplicate: false })),
        );
      }),
  },
  {
    name: 'discardRejections',
    tables: ['rejections'],
    run: (pool, { ids }) => inTransaction(pool, (db) => discardRejections(db, ids)),
  },
];
