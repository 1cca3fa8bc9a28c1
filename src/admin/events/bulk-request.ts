import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { Problem } from '../../event/problems';
import { ApiCount, ApiFlag } from '../../http/docs/api-fields';
import { EventFilter } from './event-filter';
import { MayBeLeftOut } from '../endpoint/rules';

const DEFAULT_LIMIT = 1_000;
/** Upper bound in the OpenAPI document. `limitOf` enforces the setting REPLAY_MAX_LIMIT. */
const MOST = 1_000_000;

/** Selects the events of a bulk change. */
export class BulkRequest extends EventFilter {
  @ApiCount(DEFAULT_LIMIT, {
    required: false,
    description: `Maximum number of events to change, newest first. Must not exceed the setting REPLAY_MAX_LIMIT. Default: ${DEFAULT_LIMIT}`,
    minimum: 1,
    maximum: MOST,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST)
  limit?: number;

  @ApiFlag(false, {
    required: false,
    description: 'Whether to only count the matching events and change nothing. Default: false',
  })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;
}

/** The limit of a request, or the default. @throws Problem `invalid-request` when it is greater than `most` */
export function limitOf({ limit }: BulkRequest, most: number): number {
  if (limit !== undefined && limit > most) {
    throw new Problem('invalid-request', 'The limit exceeds the setting REPLAY_MAX_LIMIT.', {
      errors: [{ pointer: '/limit', code: 'invalid-request', message: `limit must not be greater than ${most}` }],
    });
  }
  return limit ?? Math.min(DEFAULT_LIMIT, most);
}
