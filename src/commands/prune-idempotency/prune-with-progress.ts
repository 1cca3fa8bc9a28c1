import { closePool } from '../../db/close-pool';
import { createPool } from '../../db/pool';
import { pruneKeys, type PruneProgress } from '../../db/retention/prune-keys';
import { say } from '../../runtime/command';

const PROGRESS_EVERY_MS = 1_000;

/** Prunes all expired keys and prints its progress once per second. */
export async function pruneWithProgress(
  databaseUrl: string,
  options: { retentionDays: number; dryRun: boolean },
): Promise<void> {
  const pool = createPool(databaseUrl, 'streamforge prune');
  try {
    const startedMs = performance.now();
    const last = await sayProgress(pruneKeys(pool, options));
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const what = options.dryRun ? 'would be deleted (dry run, nothing changed)' : 'deleted';
    say(`${last?.expired ?? 0} idempotency keys older than ${options.retentionDays} days ${what}, in ${seconds} s.`);
  } finally {
    await closePool(pool);
  }
}

async function sayProgress(steps: AsyncIterable<PruneProgress>): Promise<PruneProgress | undefined> {
  let last: PruneProgress | undefined;
  let saidAtMs = -Infinity;
  for await (last of steps) {
    if (performance.now() - saidAtMs < PROGRESS_EVERY_MS) continue;
    saidAtMs = performance.now();
    const { pagesDone, pagesTotal, expired } = last;
    say(`${Math.round((pagesDone / pagesTotal) * 100)} % of ${pagesTotal} pages, ${expired} expired keys so far`);
  }
  return last;
}
