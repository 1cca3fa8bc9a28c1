import type { Db } from '../db/pool';

/**
 * Makes PostgreSQL read the queue and the deliveries by their indexes. A queue can grow by thousands of rows within
 * seconds, faster than its statistics, and the planner would then sort, hash or scan a whole backlog.
 */
export const PLANS_BY_INDEX = `set local enable_bitmapscan = off; set local enable_sort = off;
  set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off`;

const PLANS_AS_BEFORE = `set local enable_bitmapscan to default; set local enable_sort to default;
  set local enable_seqscan to default; set local enable_hashjoin to default; set local enable_mergejoin to default`;

/** Runs `work` with PLANS_BY_INDEX. Needs a transaction: outside of one, the settings have no effect. */
export async function withPlansByIndex<T>(db: Db, work: () => Promise<T>): Promise<T> {
  await db.query(PLANS_BY_INDEX);
  const result = await work();
  await db.query(PLANS_AS_BEFORE);
  return result;
}
