import { OPERATOR_ROLES, type OperatorRole } from '../../access/identity/operator-roles';
import { ApiEnum, ApiInstant, ApiList, ApiNextCursor, ApiText } from '../../http/docs/api-fields';

export class OperatorResponse {
  @ApiText('4kQ0bZx81LpT', { description: 'Public id, which is also a part of the token' }) id!: string;
  @ApiText('ada') name!: string;
  @ApiEnum('OperatorRole', OPERATOR_ROLES) role!: OperatorRole;
  @ApiList(String, { nullable: true, example: ['acme'], description: 'Null: all tenants' }) tenantIds!: string[] | null;
  @ApiText('admin', { description: 'Name of the operator who created this one' }) createdBy!: string;
  @ApiInstant() createdAt!: string;
  @ApiInstant({ nullable: true, description: 'Null: never' }) expiresAt!: string | null;
  @ApiInstant({ nullable: true }) revokedAt!: string | null;
  @ApiInstant({ nullable: true, description: 'Stored once a minute. Null: never' }) lastUsedAt!: string | null;
}

export class NewOperatorResponse extends OperatorResponse {
  @ApiText('sfa_4kQ0bZx81LpT_…', { description: 'The token. No other response contains it' }) token!: string;
}

export class OperatorsPage {
  @ApiList(OperatorResponse, { description: 'Operators, newest first, expired and revoked ones included' })
  operators!: OperatorResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}
