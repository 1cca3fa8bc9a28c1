import { IsBoolean, IsInt, Max, Min } from 'class-validator';
import { DESTINATION_LIMITS } from '../../destinations/destination';
import { ApiCount, ApiFlag, ApiInstant, ApiText } from '../../http/docs/api-fields';
import { IsInstant, IsNotAfter, IsPlainText, MayBeLeftOut } from '../endpoint/rules';

const MOST = 2_147_483_647;
const { ratePerSecond: RATE } = DESTINATION_LIMITS;

export class BackfillRequest {
  @ApiInstant({ description: 'Only events received at or after this time' })
  @IsInstant()
  @IsNotAfter('to')
  from!: string;

  @ApiInstant({ description: 'Only events received before this time, and before the request' })
  @IsInstant()
  to!: string;

  @ApiText('order.*', {
    required: false,
    description: 'Event type, or a prefix that ends with `*`. The types of the destination count as well',
    minLength: 1,
    maxLength: 255,
  })
  @MayBeLeftOut()
  @IsPlainText(255)
  type?: string;

  @ApiCount(10_000, {
    required: false,
    description: 'Maximum number of matching events, oldest first. Default: all',
    minimum: 1,
    maximum: MOST,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST)
  limit?: number;

  @ApiCount(100, {
    required: false,
    description: 'Maximum number of these deliveries that become due per second. Default: no maximum',
    minimum: RATE.min,
    maximum: RATE.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(RATE.min)
  @Max(RATE.max)
  ratePerSecond?: number;

  @ApiFlag(false, { required: false, description: 'Whether to only count the matching events. Default: false' })
  @MayBeLeftOut()
  @IsBoolean()
  dryRun = false;

  @ApiText(undefined, {
    required: false,
    description: 'Reason for the backfill. Stored in the audit entry',
    minLength: 1,
    maxLength: 500,
  })
  @MayBeLeftOut()
  @IsPlainText(500)
  note?: string;
}
