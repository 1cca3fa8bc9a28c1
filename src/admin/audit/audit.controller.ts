import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { listAuditEntries } from './audit.queries';
import { AuditPage } from './audit.responses';
import { cursorAfter, pageBelow, PageQuery } from '../endpoint/paging';

@AdminEndpoint()
@Controller('v1/admin/audit')
export class AuditController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listAuditEntries',
    summary: 'List the changes that operators made and the requests that were refused, newest first.',
    description: 'An operator who is bound to tenants sees the changes that were limited to these tenants.',
  })
  @ApiOkResponse({ type: AuditPage })
  async list(@Query() query: PageQuery, @Acting() { tenantIds }: ActingOperator): Promise<AuditPage> {
    const entries = await listAuditEntries(this.pool, pageBelow('audit', query), tenantIds);
    return { entries, nextCursor: cursorAfter('audit', entries, query.limit) };
  }
}
