import { queryOptions } from '@tanstack/react-query';
import { read } from '../api/client';
import type { QueryOf, Schema } from '../api/endpoints';
import { SELDOM_MS } from '../api/paged';
import type { Sample } from './samples';

type MetricsParameters = QueryOf<'/v1/admin/metrics'>;
export type Metrics = Schema<'MetricsResponse'>;

/** What of everything together: one measure, and for latencies one quantile. */
export type Total = Pick<MetricsParameters, 'measure' | 'quantile'>;

const HOUR_MS = 3_600_000;
const STEP_SECONDS = 30;
/** Where only the sum counts. */
const COARSE_SECONDS = 300;
const LIVE_MS = 5_000;
/** What is counted up to longer ago than this says nothing about the last minute. */
const MOST_BEHIND_MS = 60_000;

export interface HourOfMeasure {
  samples: Sample[];
  /** Up to when everything is counted, in ms since 1970. */
  throughMs: number;
  /** The last minute is not counted yet. */
  isBehind: boolean;
}

/** A measure of the last hour, of all tenants together. */
export const lastHourQuery = (total: Total) =>
  queryOptions({
    queryKey: ['metrics', 'last-hour', total],
    queryFn: async ({ signal }): Promise<HourOfMeasure> => {
      const now = Math.ceil(Date.now() / 1_000) * 1_000; // so that the charts of a page ask for the same
      const range = { from: new Date(now - HOUR_MS).toISOString(), to: new Date(now).toISOString() };
      const query = { ...total, ...range, dimension: 'tenant', stepSeconds: STEP_SECONDS, limit: 0 } as const;
      const metrics = await read('/v1/admin/metrics', { query, signal });
      const throughMs = Date.parse(metrics.through);
      return { samples: samplesOf(metrics), throughMs, isBehind: now - throughMs > MOST_BEHIND_MS };
    },
    refetchInterval: LIVE_MS,
  });

/** How many records of each source were refused in the last hour, the most first. */
export const refusedBySourceQuery = queryOptions({
  queryKey: ['metrics', 'refused-by-source'],
  queryFn: async ({ signal }): Promise<Map<string, number>> => {
    const now = Date.now();
    const range = { from: new Date(now - HOUR_MS).toISOString(), to: new Date(now).toISOString() };
    const query = {
      ...range,
      measure: 'rejected',
      dimension: 'source',
      stepSeconds: COARSE_SECONDS,
      limit: 10,
    } as const;
    const { series } = await read('/v1/admin/metrics', { query, signal });
    return new Map(
      series.flatMap(({ key, total }): [string, number][] => (key !== null && total ? [[key, total]] : [])),
    );
  },
  refetchInterval: SELDOM_MS,
});

function samplesOf({ other, stepSeconds, through }: Metrics): Sample[] {
  return other.points.map(([at, value]): Sample => {
    const atMs = Date.parse(String(at));
    const seconds = Math.min(stepSeconds, (Date.parse(through) - atMs) / 1_000);
    return { atMs, value: Number(value), seconds };
  });
}
