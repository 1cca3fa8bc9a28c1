import { OPERATOR_ROLES, type OperatorRole } from '../../access/identity/operator-roles';
import {
  ApiAnyObject,
  ApiCounts,
  ApiEnum,
  ApiId,
  ApiInstant,
  ApiList,
  ApiNextCursor,
  ApiText,
} from '../../http/docs/api-fields';

class AuditEntryResponse {
  @ApiId() id!: string;
  @ApiInstant() at!: string;
  @ApiText('admin', {
    description: 'Name of the operator, `admin` for ADMIN_TOKEN, or `streamforge` for what StreamForge did by itself',
  })
  actor!: string;
  @ApiEnum('OperatorRole', OPERATOR_ROLES, {
    nullable: true,
    description: 'Role of the operator at that time. Null for `streamforge`, and in entries of earlier versions',
  })
  role!: OperatorRole | null;
  @ApiText('192.0.2.7', {
    nullable: true,
    description: 'Address that the request came from. Null for `streamforge`, and in entries of earlier versions',
  })
  address!: string | null;
  @ApiText('dlq.retry') action!: string;
  @ApiAnyObject({ tenantId: 'demo' }) filter!: object;
  @ApiCounts({ matched: 3, retried: 3 }) counts!: Record<string, number>;
  @ApiText(undefined, { nullable: true }) note!: string | null;
  @ApiText('c-1') correlationId!: string;
}

export class AuditPage {
  @ApiList(AuditEntryResponse, { description: 'Audit entries, newest first' }) entries!: AuditEntryResponse[];
  @ApiNextCursor() nextCursor!: string | null;
}
