import type { EventStatus } from '../../event/event-status';
import { parseInstant } from '../../event/instant';
import { uuidV7Floor } from '../../event/uuid-v7';
import type { ActingOperator } from '../../access/acting-operator';
import { scopeOf } from '../../access/tenant-scope';
import type { EventFilter, StatusClass } from './event-filter';

/** A filter converted for SQL: id bounds instead of times, null for criteria that match everything. */
export interface EventCriteria {
  tenantId: string | null;
  /** The tenants of an operator who is bound; null for other operators. */
  tenantIds: readonly string[] | null;
  status: EventStatus | null;
  /** The exact type. */
  type: string | null;
  /** The beginning of the type. */
  typePrefix: string | null;
  subject: string | null;
  partitionKey: string | null;
  source: string | null;
  sourceId: string | null;
  destinationId: string | null;
  reasonCode: string | null;
  statusClass: StatusClass | null;
  /** The id of a group of dead letters. */
  group: string | null;
  correlationId: string | null;
  eventIds: readonly string[] | null;
  /** Lowest id, inclusive. */
  fromId: string;
  /** Highest id, exclusive: the end of the time range, or the cursor. */
  beforeId: string;
}

/**
 * Converts the filter of an operator for SQL. Ids begin with the time of receipt, so `from` and `to` become id bounds. The
 * page starts below `beforeId`.
 */
export function criteriaOf(
  filter: EventFilter,
  acting: Pick<ActingOperator, 'tenantIds'>,
  beforeId = uuidV7Floor(Infinity),
): EventCriteria {
  const { subject = null, partitionKey = null, source = null, reasonCode = null } = filter;
  const { sourceId = null, correlationId = null, eventIds = null, from, to } = filter;
  const { destinationId = null, statusClass = null, group = null } = filter;
  const until = to === undefined ? beforeId : idFloorOf(to);
  return {
    ...scopeOf(acting, filter.tenantId),
    status: filter.status ?? (reasonCode === null && group === null ? null : 'DLQ'),
    ...typeCriteriaOf(filter.type),
    subject,
    partitionKey,
    source,
    sourceId,
    destinationId,
    reasonCode,
    statusClass,
    group,
    correlationId,
    eventIds,
    fromId: from === undefined ? uuidV7Floor(0) : idFloorOf(from),
    beforeId: until < beforeId ? until : beforeId,
  };
}

export function typeCriteriaOf(pattern: string | undefined): Pick<EventCriteria, 'type' | 'typePrefix'> {
  if (pattern?.endsWith('*')) return { type: null, typePrefix: pattern.slice(0, -1) };
  return { type: pattern ?? null, typePrefix: null };
}

export function idFloorOf(instant: string): string {
  return uuidV7Floor(Date.parse((parseInstant(instant) as { utc: string }).utc));
}
