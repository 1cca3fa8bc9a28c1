import { IsBoolean, IsInt, Max, Min, ValidateBy } from 'class-validator';
import { Problem } from '../../event/problems';
import { ApiCount, ApiFlag, ApiText } from '../../http/docs/api-fields';
import type { NamedCounts } from './event-conditions.queries';
import { EventFilter, filterOnly } from './event-filter';
import { IsPlainText, MayBeLeftOut } from '../endpoint/rules';

export const DEFAULT_LIMIT = 1_000;
/** Upper bound in the OpenAPI document. `limitOf` enforces the setting REPLAY_MAX_LIMIT. */
export const MOST_LIMIT = 1_000_000;

/** Selects the events of a bulk change. */
export class BulkRequest extends EventFilter {
  @ApiFlag(true, {
    required: false,
    description: 'Must be true when the request has no filter, and must be omitted when it has one',
  })
  @IsAllOrFilter()
  all?: boolean;

  @ApiCount(DEFAULT_LIMIT, {
    required: false,
    description: `Maximum number of events to change, newest first. Must not exceed the setting REPLAY_MAX_LIMIT. Default: ${DEFAULT_LIMIT}`,
    minimum: 1,
    maximum: MOST_LIMIT,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST_LIMIT)
  limit?: number;

  @ApiFlag(false, {
    required: false,
    description: 'Whether to only count the matching events and change nothing. Default: false',
  })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;

  @ApiText(undefined, {
    required: false,
    description: 'Reason for the change. Stored in the audit entry',
    minLength: 1,
    maxLength: 500,
  })
  @MayBeLeftOut()
  @IsPlainText(500)
  note?: string;
}

/** Without this rule, a client that loses its filter on the way would change the events of every tenant. */
function IsAllOrFilter(): PropertyDecorator {
  return ValidateBy({
    name: 'isAllOrFilter',
    validator: {
      validate: (all, args) => args !== undefined && faultOfAll(all, args.object as BulkRequest) === undefined,
      defaultMessage: (args) => (args && faultOfAll(args.value, args.object as BulkRequest)) ?? '',
    },
  });
}

function faultOfAll(all: unknown, request: BulkRequest): string | undefined {
  const hasFilter = Object.keys(filterOnly(request)).length > 0;
  if (all !== undefined && typeof all !== 'boolean') return 'all must be a boolean value';
  if (all && hasFilter) return 'all must not be sent together with a filter';
  if (!all && !hasFilter) return 'send a filter, or "all": true to select everything in all tenants';
  return undefined;
}

/** The filter of a request, for the audit trail and the replay record: the given fields, or `all`. */
export function recordedFilter(request: Pick<BulkRequest, 'all' | 'tenantId'>): object {
  return { ...filterOnly(request), ...(request.all ? { all: true } : {}) };
}

/** The limit of a request, or the default. @throws Problem `invalid-request` when it is greater than `most` */
export function limitOf({ limit }: Pick<BulkRequest, 'limit'>, most: number): number {
  if (limit !== undefined && limit > most) {
    throw new Problem('invalid-request', 'The limit exceeds the setting REPLAY_MAX_LIMIT.', {
      errors: [{ pointer: '/limit', code: 'invalid-request', message: `limit must not be greater than ${most}` }],
    });
  }
  return limit ?? Math.min(DEFAULT_LIMIT, most);
}

/** Refuses an action that needs payloads, when all events that its filter names are erased. @throws Problem `event-erased` */
export function refuseErased({ named, erased }: NamedCounts): void {
  if (erased === 0 || erased < named) return;
  const which = named === 1 ? 'The payload of this event was' : `The payloads of these ${named} events were`;
  throw new Problem('event-erased', `${which} erased, so nothing can be sent again.`);
}
