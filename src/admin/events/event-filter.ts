import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { EVENT_STATUSES, type EventStatus } from '../../event/event-status';
import { parseInstant } from '../../event/instant';
import { uuidV7Floor } from '../../event/uuid-v7';
import type { EventCriteria } from './event-search.queries';
import { IsCursor, IsListLimit } from '../endpoint/page-query';
import { IsInstant, IsPlainText, IsTenantId, MayBeLeftOut } from '../endpoint/rules';

/** Most ids that one filter names. */
const MOST_IDS = 1_000;

/**
 * Which events an operator means. Lists, replay, retry and discard take the same filter, so that what was listed is
 * what is acted on. Fields that are left out do not narrow.
 */
export class EventFilter {
  @ApiPropertyOptional({ description: 'Events of this tenant', example: 'demo' })
  @MayBeLeftOut()
  @IsTenantId()
  tenantId?: string;

  @ApiPropertyOptional({ description: 'Where the events stand now', enum: EVENT_STATUSES })
  @MayBeLeftOut()
  @IsIn(EVENT_STATUSES)
  status?: EventStatus;

  @ApiPropertyOptional({ description: 'Exact event type', minLength: 1, maxLength: 255 })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiPropertyOptional({ description: 'Exact subject', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  subject?: string;

  @ApiPropertyOptional({
    description:
      'Reason of the newest failed attempt. Without a status it means dead letters. LANE_FULL also finds what replaced ' +
      'it: CONCURRENCY_LIMIT, DESTINATION_BUSY and TENANT_FAILING',
    minLength: 1,
    maxLength: 100,
  })
  @MayBeLeftOut()
  @IsPlainText(100)
  reasonCode?: string;

  @ApiPropertyOptional({
    description: 'All events with exactly this correlation id',
    minLength: 1,
    maxLength: 128,
  })
  @MayBeLeftOut()
  @IsPlainText(128)
  correlationId?: string;

  @ApiPropertyOptional({
    description: 'These events: their ids, or with a tenantId also the eventIds of the producer',
    type: [String],
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

  @ApiPropertyOptional({ description: 'Received at or after, RFC 3339', format: 'date-time' })
  @MayBeLeftOut()
  @IsInstant()
  from?: string;

  @ApiPropertyOptional({ description: 'Received before, RFC 3339', format: 'date-time' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;
}

/** A filter for one page of a list. */
export class EventPageQuery extends EventFilter {
  @IsListLimit('Most items in the answer')
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
