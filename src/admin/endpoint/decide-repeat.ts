import type { PgFailure } from '../../db/failure-classes';

/** Runs of a transaction that certainly did not commit. */
const MOST_RUNS = 4;
/** After this time a transaction that certainly did not commit is not run again. */
const MOST_MS = 5_000;
/** How long to find out whether a transaction has committed. */
const MOST_MS_UNKNOWN = 15_000;
const FIRST_WAIT_MS = 50;
const MOST_WAIT_MS = 1_000;

export interface FailedRun {
  failure: PgFailure;
  /** Runs so far. */
  runs: number;
  elapsedMs: number;
  /** The connection was lost at a commit, so the transaction may have committed. */
  commitUnknown: boolean;
  /** From 0 to 1. */
  random: number;
}

/** Returns the wait before the next run in ms, or undefined when there is none. */
export function decideRepeat({ failure, runs, elapsedMs, commitUnknown, random }: FailedRun): number | undefined {
  if (failure !== 'transient' && failure !== 'unavailable') return undefined;
  const exhausted = commitUnknown ? elapsedMs >= MOST_MS_UNKNOWN : runs >= MOST_RUNS || elapsedMs >= MOST_MS;
  if (exhausted) return undefined;
  return Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (runs - 1)) * (0.5 + random / 2);
}
