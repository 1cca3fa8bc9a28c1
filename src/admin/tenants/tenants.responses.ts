import {
  ApiAnyObject,
  ApiCount,
  ApiEnum,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiText,
} from '../../http/docs/api-fields';
import { TENANT_STATUSES, type TenantStatus } from './tenants.requests';

export class TenantResponse {
  @ApiText('acme') id!: string;
  @ApiText('Acme Ltd') name!: string;
  @ApiEnum('TenantStatus', TENANT_STATUSES) status!: TenantStatus;
  @ApiCount(60_000, { nullable: true, description: 'Null: TENANT_RATE_LIMIT_PER_MINUTE' }) eventsPerMinute!:
    number | null;
  @ApiCount(100_000_000, { nullable: true, description: 'Null: TENANT_RATE_LIMIT_BYTES_PER_MINUTE' }) bytesPerMinute!:
    number | null;
  @ApiCount(1, { description: 'Its share relative to other tenants that have a backlog' }) weight!: number;
  @ApiList(String, { example: ['/customer/email'], description: 'JSON Pointers to what is redacted' })
  redact!: string[];
  @ApiAnyObject({ plan: 'pro' }) metadata!: Record<string, unknown>;
  @ApiInstant() createdAt!: string;
  @ApiInstant() updatedAt!: string;
}

export class TenantsPage {
  @ApiList(TenantResponse, { description: 'Tenants in the order of their ids' }) tenants!: TenantResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}
