import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { EVENT_STATUSES, REASON_CODES, type EventStatus } from '../../event/event-status';
import { parseInstant } from '../../event/instant';
import { uuidV7Floor } from '../../event/uuid-v7';
import { ApiEnum, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import type { EventCriteria } from './event-search.queries';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { IsInstant, IsPlainText, MayBeLeftOut, OneTenant } from '../endpoint/rules';

/** Maximum number of ids in one filter. */
const MOST_IDS = 1_000;

/**
 * Selects events. Lists, replay, retry and discard take the same filter, so operators can list what they will change.
 * An omitted field matches every event.
 */
export class EventFilter {
  @OneTenant('Only events of this tenant')
  tenantId?: string;

  @ApiEnum('EventStatus', EVENT_STATUSES, { required: false, description: 'Current status' })
  @MayBeLeftOut()
  @IsIn(EVENT_STATUSES)
  status?: EventStatus;

  @ApiText(undefined, { required: false, description: 'Event type, exact match', minLength: 1, maxLength: 255 })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiText(undefined, { required: false, description: 'Subject, exact match', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  subject?: string;

  @ApiEnum('ReasonCode', REASON_CODES, {
    required: false,
    description:
      'Reason code of the newest failed attempt. Without `status`, only dead letters match. The former code LANE_FULL ' +
      'also matches the codes that replaced it: CONCURRENCY_LIMIT, DESTINATION_BUSY and TENANT_FAILING',
  })
  @MayBeLeftOut()
  @IsPlainText(100)
  reasonCode?: string;

  @ApiText(undefined, { required: false, description: 'Correlation id, exact match', minLength: 1, maxLength: 128 })
  @MayBeLeftOut()
  @IsPlainText(128)
  correlationId?: string;

  @ApiList(String, {
    required: false,
    description: "Ids of events. With `tenantId`, the producer's eventIds match too",
    minItems: 1,
    maxItems: MOST_IDS,
  })
  @MayBeLeftOut()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value))
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_IDS)
  @IsPlainText(255, { each: true })
  eventIds?: string[];

  @ApiInstant({ required: false, example: undefined, description: 'Only events received at or after this time' })
  @MayBeLeftOut()
  @IsInstant()
  from?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only events received before this time' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;
}

/** Selects one page of a filtered list of events. */
export class EventPageQuery extends EventFilter {
  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

/**
 * Converts a filter for SQL. Ids begin with the time of receipt, so `from` and `to` become id bounds. The page starts
 * below `beforeId`.
 */
export function criteriaOf(filter: EventFilter, beforeId = uuidV7Floor(Infinity)): EventCriteria {
  const { tenantId = null, type = null, subject = null, reasonCode = null, correlationId = null } = filter;
  const { eventIds = null, from, to } = filter;
  const status = filter.status ?? (reasonCode === null ? null : 'DLQ');
  const until = to === undefined ? beforeId : idFloorOf(to);
  return {
    tenantId,
    status,
    type,
    subject,
    reasonCode,
    correlationId,
    eventIds,
    fromId: from === undefined ? uuidV7Floor(0) : idFloorOf(from),
    beforeId: until < beforeId ? until : beforeId,
  };
}

function idFloorOf(instant: string): string {
  return uuidV7Floor(Date.parse((parseInstant(instant) as { utc: string }).utc));
}

/** The filter without `limit`, `cursor` and `dryRun`, for the audit trail and the replay record. */
export function filterOnly(filter: EventFilter): object {
  const { tenantId, status, type, subject, reasonCode, correlationId, eventIds, from, to } = filter;
  const given = { tenantId, status, type, subject, reasonCode, correlationId, eventIds, from, to };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
