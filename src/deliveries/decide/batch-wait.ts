/** A batch that is full is settled at once. */
export const MOST_IN_A_BATCH = 200;
/**
 * Settling one attempt takes PostgreSQL nearly as long as settling ten. The first attempt after a pause never waits, and a
 * waiting attempt holds no place of its destination.
 */
const INTERVAL_MS = 25;

/** The next delivery of a key begins after the settling of the one before, so this one waits for little but PostgreSQL. */
const ORDERED_INTERVAL_MS = 5;

/**
 * How long a batch waits for more attempts: the next batch begins 25 ms after the one before, or 5 ms if an attempt of an
 * ordered destination waits.
 */
export function batchWaitMs({
  waiting,
  ordered,
  sinceBeforeMs,
}: {
  waiting: number;
  ordered: boolean;
  sinceBeforeMs: number;
}): number {
  const intervalMs = ordered ? ORDERED_INTERVAL_MS : INTERVAL_MS;
  return waiting >= MOST_IN_A_BATCH ? 0 : Math.max(0, intervalMs - sinceBeforeMs);
}
