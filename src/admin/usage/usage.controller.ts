import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { listUsage } from './usage.queries';
import { UsageQuery } from './usage.requests';
import { UsageResponse } from './usage.responses';

@AdminEndpoint()
@Controller('v1/admin/usage')
export class UsageController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @ApiOperation({
    operationId: 'listUsage',
    summary:
      'List the number and bytes of processed events by tenant, UTC day and type. Each event counts once per generation.',
  })
  @ApiOkResponse({ type: UsageResponse })
  async list(@Query() query: UsageQuery): Promise<UsageResponse> {
    return { usage: await listUsage(this.pool, query) };
  }
}
