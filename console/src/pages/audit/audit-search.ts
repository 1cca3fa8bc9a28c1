import { readFilters, type Filters } from '../../address';

const AUDIT_FILTERS = ['actor', 'action', 'tenantId', 'from', 'to'] as const;
export type AuditFilterName = (typeof AUDIT_FILTERS)[number];
export type AuditSearch = Filters<AuditFilterName>;

export const readAuditSearch = (search: Record<string, unknown>): AuditSearch => readFilters(AUDIT_FILTERS, search);
