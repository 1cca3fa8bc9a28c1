import { IsBoolean, IsInt, Matches, Max, Min } from 'class-validator';
import { ApiCount, ApiFlag } from '../../http/docs/api-fields';
import { OptionalBody } from '../../http/validation';
import { MayBeLeftOut } from '../endpoint/rules';
import { ApiSecret, SECRET, SECRET_MESSAGE } from './destinations.requests';

const OVERLAP_SECONDS = { max: 7 * 24 * 3600, default: 86_400 };

@OptionalBody()
export class RotateSecretRequest {
  @ApiCount(OVERLAP_SECONDS.default, {
    required: false,
    description: `Seconds for which deliveries are also signed with the old secret; 0 retires it at once. Default: ${OVERLAP_SECONDS.default}`,
    maximum: OVERLAP_SECONDS.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(OVERLAP_SECONDS.max)
  overlapSeconds = OVERLAP_SECONDS.default;

  @ApiFlag(false, {
    required: false,
    description:
      'The newest secret never reached the receiver, because the response that made it was lost. It ends at once, and the secret before it counts until its own end. Without effect if there is only one secret',
  })
  @MayBeLeftOut()
  @IsBoolean()
  keepPrevious = false;

  @ApiSecret()
  @MayBeLeftOut()
  @Matches(SECRET, SECRET_MESSAGE)
  secret?: string;
}
