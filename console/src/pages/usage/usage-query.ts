import { queryOptions } from '@tanstack/react-query';
import { readFilters, type Filters } from '../../address';
import { read } from '../../api/client';
import type { UsageRow } from './usage-rows';

export type UsageSearch = Filters<'tenantId' | 'from' | 'to'>;

/** Rows of one response, and of all that the page reads. */
const PAGE = 1_000;
const MOST_ROWS = 20_000;
const DAY_MS = 86_400_000;
const USUAL_DAYS = 30;
/** It may be many requests, for figures of days. */
const STALE_MS = 60_000;
/** What is counted up to longer ago than this is said to be. */
const MOST_BEHIND_MS = 60_000;

export const readUsageSearch = (search: Record<string, unknown>): UsageSearch =>
  readFilters(['tenantId', 'from', 'to'], search);

export interface UsageOfRange {
  rows: UsageRow[];
  /** There are more rows than the page reads; these are the newest days. */
  isCut: boolean;
  /** Up to when everything is counted, if that is more than a minute ago; otherwise null. */
  behindSince: string | null;
}

/** Usage of the last 30 days, unless the address says otherwise. */
export const usageQuery = (search: UsageSearch) =>
  queryOptions({
    queryKey: ['usage', search],
    staleTime: STALE_MS,
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }): Promise<UsageOfRange> => {
      const from = search.from ?? new Date(Date.now() - (USUAL_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
      const rows: UsageRow[] = [];
      let cursor: string | null = null;
      let through: string;
      do {
        const page = cursor === null ? {} : { cursor };
        const query: { from: string; limit: number; cursor?: string } = { ...search, from, limit: PAGE, ...page };
        const { usage, nextCursor, countedThrough } = await read('/v1/admin/usage', { query, signal });
        rows.push(...usage);
        cursor = nextCursor;
        through = countedThrough;
      } while (cursor !== null && rows.length < MOST_ROWS);
      const isBehind = Date.now() - Date.parse(through) > MOST_BEHIND_MS;
      return { rows, isCut: cursor !== null, behindSince: isBehind ? through : null };
    },
  });
