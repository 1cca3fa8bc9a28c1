import { Transform } from 'class-transformer';
import { ArrayMaxSize, ArrayMinSize, IsArray, IsIn } from 'class-validator';
import { EVENT_STATUSES, REASON_CODES, type EventStatus } from '../../event/event-status';
import { ApiEnum, ApiId, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { IsInstant, IsNotAfter, IsPlainText, IsUuidText, MayBeLeftOut, OneTenant } from '../endpoint/rules';

/** The first digit of the HTTP status of a delivery's newest response; `none` if there was no response. */
export const STATUS_CLASSES = ['2xx', '3xx', '4xx', '5xx', 'none'] as const;
export type StatusClass = (typeof STATUS_CLASSES)[number];

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

  @ApiText(undefined, {
    required: false,
    description: 'Event type, or a prefix that ends with `*`, such as `order.*`',
    minLength: 1,
    maxLength: 255,
  })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiText(undefined, { required: false, description: 'Subject, exact match', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  subject?: string;

  @ApiText(undefined, { required: false, description: 'Partition key, exact match', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  partitionKey?: string;

  @ApiText(undefined, { required: false, description: 'Source, exact match', minLength: 1, maxLength: 512 })
  @MayBeLeftOut()
  @IsPlainText(512)
  source?: string;

  @ApiId({ required: false, example: undefined, description: 'Id of the source that the events came through' })
  @MayBeLeftOut()
  @IsUuidText()
  sourceId?: string;

  @ApiId({
    required: false,
    example: undefined,
    description:
      'Id of a destination to which the events have a delivery. `reasonCode` and `statusClass` are then those of this delivery',
  })
  @MayBeLeftOut()
  @IsUuidText()
  destinationId?: string;

  @ApiEnum('ReasonCode', REASON_CODES, {
    required: false,
    description:
      'Reason code of the newest failed attempt of the handlers, or of the newest delivery to a destination. Without ' +
      '`status`, only dead letters match. RETRY_EXHAUSTED matches failures after the last attempt of a schedule, ' +
      'whatever their cause. The former code LANE_FULL also matches the codes that replaced it: CONCURRENCY_LIMIT, ' +
      'DESTINATION_BUSY and TENANT_FAILING',
  })
  @MayBeLeftOut()
  @IsIn(REASON_CODES)
  reasonCode?: string;

  @ApiEnum('StatusClass', STATUS_CLASSES, {
    required: false,
    description:
      'HTTP status class of the newest delivery to a destination. `none`: there was no response, or handlers failed',
  })
  @MayBeLeftOut()
  @IsIn(STATUS_CLASSES)
  statusClass?: StatusClass;

  @ApiText(undefined, {
    required: false,
    description: 'Id of a group from `GET /v1/admin/dlq/reasons`. Without `status`, only dead letters match',
    minLength: 1,
    maxLength: 64,
  })
  @MayBeLeftOut()
  @IsPlainText(64)
  group?: string;

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
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_IDS)
  @IsPlainText(255, { each: true })
  eventIds?: string[];

  @ApiInstant({ required: false, example: undefined, description: 'Only events received at or after this time' })
  @MayBeLeftOut()
  @IsInstant()
  @IsNotAfter('to')
  from?: string;

  @ApiInstant({ required: false, example: undefined, description: 'Only events received before this time' })
  @MayBeLeftOut()
  @IsInstant()
  to?: string;
}

/**
 * The fields of the filters of events, deliveries and rejections. `limit`, `dryRun`, `note` and `all` are no part of
 * them.
 */
const FIELDS = [
  'tenantId',
  'status',
  'type',
  'subject',
  'partitionKey',
  'source',
  'sourceId',
  'destinationId',
  'reasonCode',
  'statusClass',
  'group',
  'correlationId',
  'eventIds',
  'ids',
  'code',
  'from',
  'to',
] as const;

/** Returns the given fields of the filter in a request, for the audit trail and the replay record. */
export function filterOnly(request: Partial<Record<(typeof FIELDS)[number], unknown>>): object {
  const fields = FIELDS.map((name) => [name, request[name]] as const);
  return Object.fromEntries<unknown>(fields.filter(([, value]) => value !== undefined));
}

/** A filter in the query of a list. */
export class EventFilterQuery extends EventFilter {
  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  /** In a query, a list of one id looks like a single id. */
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? [value] : value))
  override eventIds?: string[] = undefined;
}

/** Selects one page of a filtered list of events. */
export class EventPageQuery extends EventFilterQuery {
  @IsCursor()
  cursor?: string;
}
