import type { Pool } from 'pg';
import { findRejection, type KeptRejection } from '../../src/rejections/rejections.queries';

/** Returns the rejections of a tenant with their bytes, in the order in which they were made. */
export async function rejectionsOf(pool: Pool, tenantId: string): Promise<KeptRejection[]> {
  const { rows } = await pool.query<{ id: string }>('select id from rejections where tenant_id = $1 order by id', [
    tenantId,
  ]);
  const found = await Promise.all(rows.map(({ id }) => findRejection(pool, id, null)));
  return found.filter((one) => one !== undefined);
}
