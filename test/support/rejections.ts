import type { Pool } from 'pg';
import { findRejection, listRejections, type KeptRejection } from '../../src/rejections/rejections.queries';

const ALL = { tenantIds: null, sourceId: null, code: null, correlationId: null, from: null, to: null };

/** Returns the rejections of a tenant with their bytes, in the order in which they were made. */
export async function rejectionsOf(pool: Pool, tenantId: string): Promise<KeptRejection[]> {
  const listed = await listRejections(pool, { ...ALL, tenantId }, { before: undefined, limit: 10_000 });
  const found = await Promise.all(listed.reverse().map(({ id }) => findRejection(pool, id, null)));
  return found.filter((one) => one !== undefined);
}
