import type { ActingOperator } from '../../access/acting-operator';
import { scopeOf, type TenantScope } from '../../access/tenant-scope';
import { parseUuid, uuidV7Floor } from '../../event/uuid-v7';
import type { RejectionStatus } from '../../rejections/rejection';
import { idFloorOf, typeCriteriaOf } from '../events/event-criteria';
import type { RejectionFilter } from './rejection-filter';

/** A filter of rejections converted for SQL: id bounds instead of times, null for criteria that match everything. */
export interface RejectionCriteria extends TenantScope {
  sourceId: string | null;
  code: string | null;
  /** The exact type. */
  type: string | null;
  /** The beginning of the type. */
  typePrefix: string | null;
  status: RejectionStatus | null;
  correlationId: string | null;
  group: string | null;
  ids: readonly string[] | null;
  /** Lowest id, inclusive. */
  fromId: string;
  /** Highest id, exclusive: the end of the time range, or the cursor. */
  beforeId: string;
}

export type RejectionSelection = RejectionFilter & { status?: RejectionStatus | undefined };

/** Ids begin with the time of receipt, so `from` and `to` become id bounds. The page starts below `beforeId`. */
export function rejectionCriteriaOf(
  filter: RejectionSelection,
  acting: Pick<ActingOperator, 'tenantIds'>,
  beforeId = uuidV7Floor(Infinity),
): RejectionCriteria {
  const { sourceId = null, code = null, status = null, correlationId = null, group = null, ids, from, to } = filter;
  const until = to === undefined ? beforeId : idFloorOf(to);
  return {
    ...scopeOf(acting, filter.tenantId),
    ...typeCriteriaOf(filter.type),
    sourceId,
    code,
    status,
    correlationId,
    group,
    ids: ids?.map((id) => parseUuid(id) ?? id) ?? null,
    fromId: from === undefined ? uuidV7Floor(0) : idFloorOf(from),
    beforeId: until < beforeId ? until : beforeId,
  };
}
