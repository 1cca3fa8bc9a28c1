import {
  ApiAnyObject,
  ApiCounts,
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
    description:
      'Name of the admin token that authorized the change, or `streamforge` for what StreamForge did by itself',
  })
  actor!: string;
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
