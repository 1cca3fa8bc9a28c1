import { ArrayMaxSize, IsArray, IsIn, IsInt, Max, Min } from 'class-validator';
import { ApiAnyObject, ApiCount, ApiEnum, ApiList, ApiText } from '../../http/docs/api-fields';
import { IsCursor, IsListLimit } from '../endpoint/paging';
import { ArePointers, IsPlainText, IsSmallObject, IsTenantId, MayBeLeftOut, MayBeNull } from '../endpoint/rules';

export const TENANT_STATUSES = ['active', 'suspended'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];

const MOST_NAME = 200;
const MOST_POINTERS = 50;
const MOST_POINTER = 500;
const MOST_EVENTS = 2_147_483_647;
const MOST_WEIGHT = 100;

class TenantFields {
  @ApiEnum('TenantStatus', TENANT_STATUSES, {
    required: false,
    description: 'A suspended tenant cannot send events. A new tenant is active',
  })
  @MayBeLeftOut()
  @IsIn(TENANT_STATUSES)
  status?: TenantStatus;

  @ApiCount(60_000, {
    required: false,
    nullable: true,
    description: 'Events per minute; 0: no limit; null: TENANT_RATE_LIMIT_PER_MINUTE',
    maximum: MOST_EVENTS,
  })
  @MayBeNull()
  @IsInt()
  @Min(0)
  @Max(MOST_EVENTS)
  eventsPerMinute?: number | null;

  @ApiCount(100_000_000, {
    required: false,
    nullable: true,
    description: 'Decompressed bytes per minute; 0: no limit; null: TENANT_RATE_LIMIT_BYTES_PER_MINUTE',
  })
  @MayBeNull()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  bytesPerMinute?: number | null;

  @ApiCount(1, {
    required: false,
    description:
      'Its share of publishing and of the workers, relative to other tenants that have a backlog. A new tenant has 1',
    minimum: 1,
    maximum: MOST_WEIGHT,
  })
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST_WEIGHT)
  weight?: number;

  @ApiList(String, {
    required: false,
    nullable: true,
    example: ['/customer/email'],
    description:
      'JSON Pointers into payloads. Operators below the role `operator` do not see these values, nor texts that may ' +
      'quote them. Null: an empty list',
    maxItems: MOST_POINTERS,
  })
  @MayBeNull()
  @IsArray()
  @ArrayMaxSize(MOST_POINTERS)
  @IsPlainText(MOST_POINTER, { min: 0, each: true })
  @ArePointers()
  redact?: string[] | null;

  @ApiAnyObject(
    { plan: 'pro' },
    { required: false, nullable: true, description: 'Any object of at most 4096 bytes; null: an empty one' },
  )
  @MayBeNull()
  @IsSmallObject(4_096)
  metadata?: Record<string, unknown> | null;
}

export class TenantRequest extends TenantFields {
  @ApiText('acme')
  @IsTenantId()
  id!: string;

  @ApiText('Acme Ltd', { minLength: 1, maxLength: MOST_NAME })
  @IsPlainText(MOST_NAME)
  name!: string;
}

/** Omitted fields keep their values. */
export class TenantChangeRequest extends TenantFields {
  @ApiText('Acme Ltd', { required: false, minLength: 1, maxLength: MOST_NAME })
  @MayBeLeftOut()
  @IsPlainText(MOST_NAME)
  name?: string;
}

export class TenantsQuery {
  @ApiEnum('TenantStatus', TENANT_STATUSES, { required: false, description: 'Only tenants with this status' })
  @MayBeLeftOut()
  @IsIn(TENANT_STATUSES)
  status?: TenantStatus;

  @IsListLimit('Maximum number of items in the response')
  limit = 50;

  @IsCursor(300)
  cursor?: string;
}

export class TenantPath {
  @ApiText('acme')
  @IsTenantId()
  tenantId!: string;
}
