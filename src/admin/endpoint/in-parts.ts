import { Problem } from '../../event/problems';

/** Most items that one statement of a bulk action changes. */
const ITEMS_PER_STATEMENT = 500;
/**
 * After this time no further statement starts. The reconciler relies on no transaction being open for longer than a
 * minute (listDispatchesAfter), and a statement may take 30 seconds.
 */
const MOST_MS = 20_000;

/**
 * Works on the items in their order, which must be the order in which all transactions lock them. Returns the sum of the
 * results. @throws Problem `storage-unavailable` when it takes too long
 */
export async function inParts<T>(items: readonly T[], work: (part: readonly T[]) => Promise<number>): Promise<number> {
  const startedMs = performance.now();
  let sum = 0;
  for (let from = 0; from < items.length; from += ITEMS_PER_STATEMENT) {
    if (performance.now() - startedMs > MOST_MS) {
      const detail = `The action took longer than ${MOST_MS / 1_000} seconds. Nothing was changed. Send a smaller limit.`;
      throw new Problem('storage-unavailable', detail, { retryAfterSeconds: 2 });
    }
    sum += await work(items.slice(from, from + ITEMS_PER_STATEMENT));
  }
  return sum;
}
