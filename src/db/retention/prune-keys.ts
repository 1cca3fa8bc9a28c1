import type { Pool } from 'pg';
import { countExpiredKeys, countKeyPages, deleteExpiredKeys } from './prune-keys.queries';

/** About 30,000 keys, which take a few hundred milliseconds. */
const PAGES_PER_STEP = 500;

export interface PruneProgress {
  pagesDone: number;
  pagesTotal: number;
  expired: number;
}

/**
 * Walks once through all idempotency keys and deletes the expired ones, or only counts them when `dryRun` is set. Each
 * step is one bounded transaction, and the caller may stop after any step.
 */
export async function* pruneKeys(
  pool: Pool,
  { retentionDays, dryRun = false }: { retentionDays: number; dryRun?: boolean },
): AsyncGenerator<PruneProgress, void> {
  const pagesTotal = await countKeyPages(pool);
  const visit = dryRun ? countExpiredKeys : deleteExpiredKeys;
  let expired = 0;
  for (let from = 0; from < pagesTotal; from += PAGES_PER_STEP) {
    const to = Math.min(from + PAGES_PER_STEP, pagesTotal);
    expired += await visit(pool, { from, to, retentionDays });
    yield { pagesDone: to, pagesTotal, expired };
  }
}
