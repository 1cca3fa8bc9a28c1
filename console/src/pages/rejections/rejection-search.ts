import { readFilters, type Filters } from '../../address';

const REJECTION_FILTERS = ['status', 'tenantId', 'sourceId', 'code', 'type', 'correlationId', 'from', 'to'] as const;
export type RejectionFilterName = (typeof REJECTION_FILTERS)[number];
export type RejectionSearch = Filters<RejectionFilterName>;

export const readRejectionSearch = (search: Record<string, unknown>): RejectionSearch =>
  readFilters(REJECTION_FILTERS, search);
