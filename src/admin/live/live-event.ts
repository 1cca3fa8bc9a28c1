import type { TenantIds } from '../../access/acting-operator';
import type { EventStatus } from '../../event/event-status';

/** An event as the live list shows it, without its payload. */
export interface LiveEvent {
  id: string;
  eventId: string;
  tenantId: string;
  type: string;
  subject: string;
  source: string;
  sourceId: string | null;
  correlationId: string;
  receivedAt: string;
  sizeBytes: number;
  /** Null: it is no longer followed, so what is known of it is old. */
  status: EventStatus | null;
}

/** Selects the events that one watcher sees. Null matches every event. */
export interface LiveFilter {
  tenantIds: TenantIds;
  type: string | null;
  typePrefix: string | null;
  source: string | null;
  sourceId: string | null;
  /** Lower-case text that one of the ids or the subject has. */
  text: string | null;
}

/** Whether a watcher sees the events of all tenants, without a filter. */
export const seesAll = (filter: LiveFilter): boolean => Object.values(filter).every((value) => value === null);

export function passes(filter: LiveFilter, event: LiveEvent): boolean {
  const { tenantIds, type, typePrefix, source, sourceId, text } = filter;
  return (
    (tenantIds === null || tenantIds.includes(event.tenantId)) &&
    (type === null || event.type === type) &&
    (typePrefix === null || event.type.startsWith(typePrefix)) &&
    (source === null || event.source === source) &&
    (sourceId === null || event.sourceId === sourceId) &&
    (text === null || hasText(event, text))
  );
}

const hasText = ({ id, eventId, subject, correlationId }: LiveEvent, text: string): boolean =>
  [id, eventId, subject, correlationId].some((value) => value.toLowerCase().includes(text));
