import { readFilters, type Filters } from '../../address';

const DEAD_LETTER_FILTERS = ['tenantId', 'type', 'reasonCode', 'destinationId', 'from', 'to'] as const;
export type DeadLetterSearch = Filters<(typeof DEAD_LETTER_FILTERS)[number]>;

export const readDeadLetterSearch = (search: Record<string, unknown>): DeadLetterSearch =>
  readFilters(DEAD_LETTER_FILTERS, search);
