import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsString,
  IsUUID,
  Length,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { DESTINATION_LIMITS } from '../../destinations/destination';
import { IsPlainText, IsTenantId, MayBeLeftOut } from '../endpoint/rules';

const { timeoutMs: TIMEOUT, maxInFlight: IN_FLIGHT } = DESTINATION_LIMITS;
/** No control characters nor halves of surrogate pairs; `*` only at the end. */
const TYPE_PATTERN = /^(?:[^\p{Cc}\p{Cs}*]{1,254}\*?|\*)$/u;
const MOST_PATTERNS = 50;
const MOST_PAGE = 500;
const MOST_OVERLAP_SECONDS = 7 * 24 * 3600;

class DestinationFields {
  @ApiPropertyOptional({
    example: ['order.*'],
    type: [String],
    description: 'Exact types, or prefixes with * at their end',
  })
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_PATTERNS)
  @IsString({ each: true })
  @Matches(TYPE_PATTERN, { each: true, message: 'each of eventTypes must be a type, or a prefix with * at its end' })
  eventTypes?: string[];

  @ApiPropertyOptional({ example: true })
  @MayBeLeftOut()
  @IsBoolean()
  enabled?: boolean;

  @ApiPropertyOptional({ example: 'Order service of the shop', maxLength: 500 })
  @MayBeLeftOut()
  @IsPlainText(500, { min: 0 })
  description?: string;

  @ApiPropertyOptional({ description: 'Of one request, in ms', minimum: TIMEOUT.min, maximum: TIMEOUT.max })
  @MayBeLeftOut()
  @IsInt()
  @Min(TIMEOUT.min)
  @Max(TIMEOUT.max)
  timeoutMs?: number;

  @ApiPropertyOptional({
    description: 'Requests at a time, of each worker process',
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
  @ApiProperty({ example: 'demo' })
  @IsTenantId()
  tenantId!: string;

  @ApiProperty({ example: 'https://shop.example/hooks/orders', maxLength: 2048 })
  @IsString()
  @Length(1, 2048)
  url!: string;
}

/** What is left out stays as it is. The tenant cannot be changed. */
export class DestinationChangeRequest extends DestinationFields {
  @ApiPropertyOptional({ example: 'https://shop.example/hooks/orders', maxLength: 2048 })
  @MayBeLeftOut()
  @IsString()
  @Length(1, 2048)
  url?: string;
}

export class DestinationsQuery {
  @ApiPropertyOptional({ description: 'One tenant; all when left out' })
  @MayBeLeftOut()
  @IsTenantId()
  tenantId?: string;

  @ApiPropertyOptional({ description: 'Most items in the answer', minimum: 1, maximum: MOST_PAGE, type: Number })
  @MayBeLeftOut()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MOST_PAGE)
  limit = 50;

  @ApiPropertyOptional({ description: '`nextCursor` of the page before' })
  @MayBeLeftOut()
  @IsUUID()
  cursor?: string;
}

export class RotateSecretRequest {
  @ApiPropertyOptional({
    description: 'For so long deliveries are signed with the old secret too; 0 ends it at once',
    minimum: 0,
    maximum: MOST_OVERLAP_SECONDS,
    default: 86_400,
    type: Number,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(MOST_OVERLAP_SECONDS)
  overlapSeconds = 86_400;
}
