import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';
import type { TenantScope } from '../../access/tenant-scope';
import { storedMeasureOf } from '../../metric-rollup/measures';
import { readRollupProgress, type RollupProgress } from '../../metric-rollup/rollup.queries';
import { summedStep, type MetricRange } from '../../metric-rollup/steps';
import { FreshCounts, isNearlyRolledUp, type Fresh } from './fresh-counts';
import { quantileOf, seriesOf, sumOf, type MetricSeries } from './metric-series';
import { sumMetric, type FreshRow, type MetricCriteria, type MetricRow } from './metrics.queries';
import { sumMetricSums } from './summed-metrics.queries';

export interface MeasuredSeries extends MetricSeries {
  /** Up to when everything is counted, in ms since 1970. */
  throughMs: number;
}

interface Summed {
  rows: MetricRow[];
  throughMs: number;
}

/**
 * Reads measures. What is not rolled up yet is counted from the events and attempts themselves, so that the newest point is
 * at most two seconds old, unless that would take too long.
 */
@Injectable()
export class MetricReader {
  private readonly freshCounts: FreshCounts;
  /** By what is asked for. Requests at the same time, as the charts of a page send them, share statements. */
  private readonly underWay = new Map<string, Promise<Summed>>();

  constructor(private readonly pool: Pool) {
    this.freshCounts = new FreshCounts(pool);
  }

  async read(criteria: MetricCriteria, quantile: number): Promise<MeasuredSeries> {
    const { rows, throughMs } = await this.sumShared(criteria);
    if (criteria.measure !== 'latency') return { ...seriesOf(rows, criteria, throughMs, sumOf), throughMs };
    // Deliveries in bucket 0 have no latency (facts.ts).
    const known = criteria.dimension === 'destination' ? rows.filter(({ bucket }) => bucket > 0) : rows;
    return { ...seriesOf(known, criteria, throughMs, quantileOf(quantile)), throughMs };
  }

  private sumShared(criteria: MetricCriteria): Promise<Summed> {
    const asked = JSON.stringify({ ...criteria, measure: storedMeasureOf(criteria.measure, criteria.dimension) });
    const known = this.underWay.get(asked);
    if (known) return known;
    const summing = this.sum(criteria).finally(() => this.underWay.delete(asked));
    this.underWay.set(asked, summing);
    return summing;
  }

  private async sum(criteria: MetricCriteria): Promise<Summed> {
    const progress = await readRollupProgress(this.pool);
    const fresh = await this.readFresh(criteria, progress);
    const visible = (fresh?.rows ?? []).filter((row) => isIn(row, criteria) && isOf(row, criteria));
    const from = fresh?.from ?? Infinity;
    const level = summedStep(criteria.stepSeconds);
    const rows =
      level === undefined
        ? await sumMetric(this.pool, criteria, from, visible)
        : await sumMetricSums(this.pool, { ...criteria, level }, from, visible);
    const through = fresh?.through ?? Math.min(progress.rolledTo, progress.now);
    return { rows, throughMs: Math.min(criteria.toMs, through * 1_000) };
  }

  private async readFresh(
    { measure, dimension, toMs }: MetricCriteria,
    progress: RollupProgress,
  ): Promise<Fresh | undefined> {
    const { rolledTo, now } = progress;
    if (!isNearlyRolledUp(progress) || now <= rolledTo || toMs <= rolledTo * 1_000) return undefined;
    return this.freshCounts.read(storedMeasureOf(measure, dimension), dimension, progress);
  }
}

const isIn = ({ at }: FreshRow, { fromMs, toMs }: MetricRange): boolean => at * 1_000 >= fromMs && at * 1_000 < toMs;

const isOf = (row: FreshRow, { tenantId, tenantIds }: TenantScope): boolean =>
  (tenantId === null || row.tenantId === tenantId) &&
  (tenantIds === null || (row.tenantId !== null && tenantIds.includes(row.tenantId)));
