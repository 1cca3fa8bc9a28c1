import { ArrayMaxSize, ArrayMinSize, ArrayUnique, IsArray, IsIn, IsInt, Matches, Max, Min } from 'class-validator';
import { ApiProperty } from '@nestjs/swagger';
import { SCOPES, type Scope } from '../../access/identity/caller';
import { ApiCount, ApiInstant, ApiList, ApiText } from '../../http/docs/api-fields';
import { OptionalBody } from '../../http/validation';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { AreNetworks, IsFutureInstant, IsPlainText, IsTenantId, MayBeLeftOut, MayBeNull } from '../endpoint/rules';

const MOST_NAME = 200;
const MOST_NETWORKS = 50;
const CREDENTIAL_ID = /^[0-9A-Za-z]{1,40}$/;

export class KeyRequest {
  @ApiText('till 17', { minLength: 1, maxLength: MOST_NAME })
  @IsPlainText(MOST_NAME)
  name!: string;

  @ApiProperty({
    enum: [...SCOPES],
    enumName: 'KeyScope',
    isArray: true,
    minItems: 1,
    maxItems: SCOPES.length,
    description: '`ingest`: send events; `read`: read events of the tenant',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(SCOPES.length)
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes!: Scope[];

  @ApiInstant({
    required: false,
    nullable: true,
    example: '2036-01-31T12:00:00.000Z',
    description: 'When the key expires. Default: never',
  })
  @MayBeNull()
  @IsFutureInstant()
  expiresAt?: string | null;

  @ApiList(String, {
    required: false,
    nullable: true,
    example: ['203.0.113.0/24'],
    description: 'The networks whose addresses may use the key, in CIDR notation. Default: all',
    minItems: 1,
    maxItems: MOST_NETWORKS,
  })
  @MayBeNull()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MOST_NETWORKS)
  @AreNetworks()
  allow?: string[] | null;
}

export class KeysQuery {
  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor()
  cursor?: string;
}

export class KeyPath {
  @ApiText('acme')
  @IsTenantId()
  tenantId!: string;

  @ApiText('4kQ0bZx81LpT')
  @Matches(CREDENTIAL_ID, { message: 'id must be the id of an API key' })
  id!: string;
}

const OVERLAP_SECONDS = { max: 30 * 24 * 3600, default: 86_400 };

@OptionalBody()
export class RotateKeyRequest {
  @ApiCount(OVERLAP_SECONDS.default, {
    required: false,
    description: `Seconds for which the first key stays valid; 0 revokes it at once. Default: ${OVERLAP_SECONDS.default}`,
    maximum: OVERLAP_SECONDS.max,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(OVERLAP_SECONDS.max)
  overlapSeconds = OVERLAP_SECONDS.default;
}
