import type { Pool } from 'pg';
import { isCancelled } from '../../db/pg-errors';
import { readRollupProgress } from '../../metric-rollup/rollup.queries';
import { quantileOf, seriesOf, sumOf, type MetricSeries } from './metric-series';
import { sumMetric, type FreshRange, type MetricCriteria } from './metrics.queries';

/** Clocks differ: what seems to be of the next seconds has happened too. */
const CLOCKS_DIFFER_MS = 5_000;
/** If the roll-up is further behind than this, what is not rolled up yet is left out: it could be any number of rows. */
const MOST_FRESH_MS = 60_000;

export interface MeasuredSeries extends MetricSeries {
  /** Up to when everything is counted, in ms since 1970. */
  throughMs: number;
}

/**
 * Reads a measure. What is not rolled up yet is counted from the events and attempts themselves, so that the newest point is
 * true now, unless that would take too long.
 */
export async function readMetric(pool: Pool, criteria: MetricCriteria, quantile: number): Promise<MeasuredSeries> {
  const { rolledTo, now } = await readRollupProgress(pool);
  const rolledMs = rolledTo * 1_000;
  const nowMs = now * 1_000;
  const fresh = freshRange(criteria, rolledMs, nowMs);
  const read = async (from: FreshRange | undefined): Promise<MeasuredSeries> => {
    const rows = await sumMetric(pool, criteria, from);
    const throughMs = Math.min(criteria.toMs, from ? nowMs : rolledMs);
    const value = criteria.measure === 'latency' ? quantileOf(quantile) : sumOf;
    return { ...seriesOf(rows, criteria, throughMs, value), throughMs };
  };
  if (!fresh) return read(undefined);
  try {
    return await read(fresh);
  } catch (error) {
    if (!isCancelled(error)) throw error;
    return read(undefined);
  }
}

function freshRange(range: FreshRange, rolledMs: number, nowMs: number): FreshRange | undefined {
  const toMs = Math.min(range.toMs, nowMs + CLOCKS_DIFFER_MS);
  return toMs > rolledMs && nowMs - rolledMs <= MOST_FRESH_MS
    ? { fromMs: Math.max(rolledMs, range.fromMs), toMs }
    : undefined;
}
