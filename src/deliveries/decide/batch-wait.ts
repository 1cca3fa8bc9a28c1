/** A batch that is full is settled at once. */
export const MOST_IN_A_BATCH = 200;
/**
 * Settling one attempt takes PostgreSQL nearly as long as settling ten. The first attempt after a pause never waits, and a
 * waiting attempt holds no place of its destination.
 */
const INTERVAL_MS = 25;

/** How long a batch waits for more attempts: the next batch begins 25 ms after the one before. */
export function batchWaitMs({ waiting, sinceBeforeMs }: { waiting: number; sinceBeforeMs: number }): number {
  return waiting >= MOST_IN_A_BATCH ? 0 : Math.max(0, INTERVAL_MS - sinceBeforeMs);
}
