import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { EVENT_STATUSES, REASON_CODES, type EventStatus } from '../../event/event-status';
import { parseInstant } from '../../event/instant';
import { uuidV7Floor } from '../../event/uuid-v7';
import { ApiEnum, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import type { EventCriteria } from './event-search.queries';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { IsInstant, IsPlainText, MayBeLeftOut, OneTenant } from '../endpoint/rules';

/** Most ids that one filter names. */
const MOST_IDS = 1_000;

/**
 * Which events an operator means. Lists, replay, retry and discard take the same filter, so that what was listed is
 * what is acted on. Fields that are left out do not narrow.
 */
export class EventFilter {
  @OneTenant('Events of this tenant')
  tenantId?: string;

  @ApiEnum('EventStatus', EVENT_STATUSES, { required: false, description: 'Where the events stand now' })
  @MayBeLeftOut()
  @IsIn(EVENT_STATUSES)
  status?: EventStatus;

  @ApiText(undefined, { required: false, description: 'Exact event type', minLength: 1, maxLength: 255 })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiText(undefined, { required: false, description: 'Exact subject', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  subject?: string;

  @ApiEnum('ReasonCode', REASON_CODES, {
    required: false,
    description:
      'Reason of the newest failed attempt. Without a status it means dead letters. LANE_FULL also finds what replaced ' +
      'it: CONCURRENCY_LIMIT, DESTINATION_BUSY and TENANT_FAILING',
  })
  @MayBeLeftOut()
  @IsPlainText(100)
  reasonCode?: string;

  @ApiText(undefined, { required: false, description: 'Exact correlation id', minLength: 1, maxLength: 128 })
  @MayBeLeftOut()
  @IsPlainText(128)
  correlationId?: string;

  @ApiList(String, {
    required: false,
    description: 'These events: their ids, or with a tenantId also the eventIds of the producer',
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

  @ApiInstant({ required: false, example: undefined, description: 'Received at or after' })
  @MayBeLeftOut()
  @IsInstant()
  from?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Received before' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;
}

/** A filter for one page of a list. */
export class EventPageQuery extends EventFilter {
  @IsListLimit('Most items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

/** `beforeId`: a page goes on below it. The received-at bounds become bounds of ids, which begin with that time. */
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

/** The filter without what only says how much of it, for the audit trail and the record of a replay. */
export function filterOnly(filter: EventFilter): object {
  const { tenantId, status, type, subject, reasonCode, correlationId, eventIds, from, to } = filter;
  const given = { tenantId, status, type, subject, reasonCode, correlationId, eventIds, from, to };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
