import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsString,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { DESTINATION_LIMITS } from '../../destinations/destination';
import { ApiCount, ApiFlag, ApiId, ApiList, ApiText } from '../../http/docs/api-fields';
import { OptionalBody } from '../../http/validation';
import { IsListLimit } from '../endpoint/paging';
import { IsPlainText, IsTenantId, IsUuid, MayBeLeftOut, OneTenant } from '../endpoint/rules';

const { timeoutMs: TIMEOUT, maxInFlight: IN_FLIGHT } = DESTINATION_LIMITS;
/** No control characters or lone surrogates; `*` only at the end. */
const TYPE_PATTERN = /^(?:[^\p{Cc}\p{Cs}*]{1,254}\*?|\*)$/u;
const MOST_PATTERNS = 50;
const MOST_URL = 2_048;

class DestinationFields {
  @ApiList(String, {
    required: false,
    example: ['order.*'],
    description: 'Event types, or prefixes that end with `*`. A new destination defaults to `["*"]`, all types',
    minItems: 1,
    maxItems: MOST_PATTERNS,
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_PATTERNS)
  @IsString({ each: true })
  @Matches(TYPE_PATTERN, {
    each: true,
    message: 'each of eventTypes must be an event type, or a prefix that ends with *',
  })
  eventTypes?: string[];

  @ApiFlag(true, { required: false })
  @MayBeLeftOut()
  @IsBoolean()
  enabled?: boolean;

  @ApiText('Order service of the shop', { required: false, maxLength: 500 })
  @MayBeLeftOut()
  @IsPlainText(500, { min: 0 })
  description?: string;

  @ApiCount(TIMEOUT.default, {
    required: false,
    description: 'Timeout of one delivery request in milliseconds. A new destination defaults to 10000',
    minimum: TIMEOUT.min,
    maximum: TIMEOUT.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(TIMEOUT.min)
  @Max(TIMEOUT.max)
  timeoutMs?: number;

  @ApiCount(IN_FLIGHT.default, {
    required: false,
    description: 'Maximum number of concurrent requests from each worker process. A new destination defaults to 8',
    minimum: IN_FLIGHT.min,
    maximum: IN_FLIGHT.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(IN_FLIGHT.min)
  @Max(IN_FLIGHT.max)
  maxInFlight?: number;
}

export class DestinationRequest extends DestinationFields {
  @ApiText('demo')
  @IsTenantId()
  tenantId!: string;

  @ApiText('https://shop.example/hooks/orders', { minLength: 1, maxLength: MOST_URL })
  @IsString()
  @Length(1, MOST_URL)
  url!: string;
}

/** Omitted fields keep their values. The tenant cannot be changed. */
export class DestinationChangeRequest extends DestinationFields {
  @ApiText('https://shop.example/hooks/orders', { required: false, minLength: 1, maxLength: MOST_URL })
  @MayBeLeftOut()
  @IsString()
  @Length(1, MOST_URL)
  url?: string;
}

export class DestinationsQuery {
  @OneTenant('Only destinations of this tenant')
  tenantId?: string;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @ApiId({ required: false, example: undefined, description: '`nextCursor` of the previous page' })
  @MayBeLeftOut()
  @IsUuid()
  cursor?: string;
}

export class DestinationPath {
  @ApiId()
  @IsUuid()
  id!: string;
}

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
}
