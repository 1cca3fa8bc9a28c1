import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { Problem } from '../../event/problems';
import { ApiCount, ApiFlag } from '../../http/docs/api-fields';
import { EventFilter } from './event-filter';
import { MayBeLeftOut } from '../endpoint/rules';

const DEFAULT_LIMIT = 1_000;
/** Above any REPLAY_MAX_LIMIT. */
const MOST = 1_000_000;

/** A filter for a change to many events. */
export class BulkRequest extends EventFilter {
  @ApiCount(DEFAULT_LIMIT, {
    required: false,
    description: `Most events to take, newest first; at most REPLAY_MAX_LIMIT. Default: ${DEFAULT_LIMIT}`,
    minimum: 1,
    maximum: MOST,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST)
  limit?: number;

  @ApiFlag(false, { required: false, description: 'true counts and changes nothing. Default: false' })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;
}

/** @throws Problem when more is asked for than the setting allows */
export function limitOf({ limit }: BulkRequest, most: number): number {
  if (limit !== undefined && limit > most) {
    throw new Problem('invalid-request', 'The limit is too high.', {
      errors: [{ pointer: '/limit', code: 'invalid-request', message: `limit must not be greater than ${most}` }],
    });
  }
  return limit ?? Math.min(DEFAULT_LIMIT, most);
}
