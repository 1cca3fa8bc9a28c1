import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { Problem } from '../../event/problems';
import { EventFilter } from '../events/event-filter';
import { MayBeLeftOut } from './rules';

const DEFAULT_LIMIT = 1_000;

/** A filter for a change to many events. */
export class BulkRequest extends EventFilter {
  @ApiPropertyOptional({
    description: 'Most events to take, newest first; at most REPLAY_MAX_LIMIT',
    minimum: 1,
    default: DEFAULT_LIMIT,
    type: Number,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  limit?: number;

  @ApiPropertyOptional({ description: 'true counts and changes nothing', type: Boolean, default: false })
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
