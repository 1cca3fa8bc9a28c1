import { readFilters, type Filters } from '../../address';

const LIVE_FILTERS = ['tenantId', 'type', 'source', 'sourceId', 'text', 'status'] as const;
export type LiveFilterName = (typeof LIVE_FILTERS)[number];
export type LiveSearch = Filters<LiveFilterName>;

export const readLiveSearch = (search: Record<string, unknown>): LiveSearch => readFilters(LIVE_FILTERS, search);
