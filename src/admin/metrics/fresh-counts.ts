import type { Pool } from 'pg';
import { isCancelled } from '../../db/pg-errors';
import { elapsedMs } from '../../event/elapsed-time';
import type { MetricDimension, StoredMeasure } from '../../metric-rollup/measures';
import type { RollupProgress } from '../../metric-rollup/rollup.queries';
import { countFresh, type FreshRow } from './metrics.queries';

/** Clocks differ: what seems to be of the next seconds has happened too. */
const CLOCKS_DIFFER_SECONDS = 5;
/** If the roll-up is further behind than this, what is not rolled up yet is left out: it could be any number of rows. */
const MOST_FRESH_SECONDS = 60;
const KEPT_MS = 2_000;
/** After counting took too long, it is not tried again for this time. */
const LEFT_OUT_MS = 30_000;

/** What was not rolled up yet. Times are in seconds since 1970. */
export interface Fresh {
  from: number;
  /** Everything before is counted. */
  through: number;
  rows: FreshRow[];
}

interface Kept {
  fresh: Promise<Fresh | undefined>;
  untilMs: number;
}

/**
 * Counts what is not rolled up yet, once in two seconds for each measure and dimension however many look at it. One
 * statement at a time is under way for each.
 */
export class FreshCounts {
  /** By measure and dimension, of which there are some twenty. */
  private readonly kept = new Map<string, Kept>();

  constructor(private readonly pool: Pool) {}

  /** Returns undefined if there would be too much to count, or counting took too long in the last 30 seconds. */
  read(measure: StoredMeasure, dimension: MetricDimension, progress: RollupProgress): Promise<Fresh | undefined> {
    const name = `${measure} ${dimension}`;
    const known = this.kept.get(name);
    if (known && elapsedMs() < known.untilMs) return known.fresh;
    const kept = { fresh: this.count(measure, dimension, progress), untilMs: Infinity };
    this.kept.set(name, kept);
    void kept.fresh.then(
      (fresh) => (kept.untilMs = elapsedMs() + (fresh ? KEPT_MS : LEFT_OUT_MS)),
      () => (kept.untilMs = 0), // who reads it has the error
    );
    return kept.fresh;
  }

  private async count(
    measure: StoredMeasure,
    dimension: MetricDimension,
    { rolledTo, now }: RollupProgress,
  ): Promise<Fresh | undefined> {
    const range = { from: rolledTo, to: now + CLOCKS_DIFFER_SECONDS };
    try {
      return { from: rolledTo, through: now, rows: await countFresh(this.pool, measure, dimension, range) };
    } catch (error) {
      if (!isCancelled(error)) throw error;
      return undefined;
    }
  }
}

/** True if the roll-up is so near to the present that the rest can be counted. */
export const isNearlyRolledUp = ({ rolledTo, now }: RollupProgress): boolean => now - rolledTo <= MOST_FRESH_SECONDS;
