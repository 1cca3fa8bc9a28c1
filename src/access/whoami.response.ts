import { ApiEnum, ApiList, ApiText } from '../http/docs/api-fields';
import { SCOPES, type Scope } from './identity/caller';
import { OPERATOR_ROLES, type OperatorRole } from './identity/operator-roles';
import { ApiProperty } from '@nestjs/swagger';

/** Who a request comes from. What does not apply is null. */
export class WhoamiResponse {
  @ApiEnum('CallerKind', ['key', 'operator', 'header'], {
    description: '`key`: an API key; `operator`: an operator; `header`: X-Tenant-Id alone',
  })
  kind!: 'key' | 'operator' | 'header';

  @ApiText('4kQ0bZx81LpT', { nullable: true, description: 'Public id of the key or token; null for ADMIN_TOKEN' })
  id!: string | null;

  @ApiText('till 17', { nullable: true, description: 'Name of the key or the operator' })
  name!: string | null;

  @ApiText('demo', { nullable: true, description: 'Tenant of the key or the header; null for an operator' })
  tenantId!: string | null;

  @ApiProperty({
    enum: [...SCOPES],
    enumName: 'KeyScope',
    isArray: true,
    nullable: true,
    description: 'Scopes of the key',
  })
  scopes!: Scope[] | null;

  @ApiEnum('OperatorRole', OPERATOR_ROLES, { nullable: true, description: 'Role of the operator' })
  role!: OperatorRole | null;

  @ApiList(String, {
    nullable: true,
    example: ['acme'],
    description: 'Tenants that the operator is bound to; null for an operator of all tenants, and for others',
  })
  tenantIds!: string[] | null;
}
