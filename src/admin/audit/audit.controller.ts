import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty } from '@nestjs/swagger';
import { Pool } from 'pg';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { listAuditEntries } from './audit.queries';
import { cursorAfter, pageBelow, PageQuery } from '../endpoint/page-query';

class AuditRow {
  @ApiProperty({ format: 'uuid' })
  id!: string;

  @ApiProperty({ format: 'date-time' })
  at!: string;

  @ApiProperty({ example: 'admin', description: 'The name of the token' })
  actor!: string;

  @ApiProperty({ example: 'dlq.retry' })
  action!: string;

  @ApiProperty({ type: 'object', additionalProperties: true, example: { tenantId: 'demo' } })
  filter!: object;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' }, example: { matched: 3, retried: 3 } })
  counts!: Record<string, number>;

  @ApiProperty({ type: String, nullable: true })
  note!: string | null;

  @ApiProperty({ example: 'c-1' })
  correlationId!: string;
}

class AuditPage {
  @ApiProperty({ type: [AuditRow], description: 'Newest first' })
  entries!: AuditRow[];

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

@AdminEndpoint()
@Controller('v1/admin/audit')
export class AuditController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @ApiOperation({ summary: 'What operators changed: who, what, by which filter, how many, newest first.' })
  @ApiOkResponse({ type: AuditPage })
  async list(@Query() query: PageQuery): Promise<AuditPage> {
    const entries = await listAuditEntries(this.pool, pageBelow('audit', query));
    return { entries, nextCursor: cursorAfter('audit', entries, query.limit) };
  }
}
