import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsDateString, Matches } from 'class-validator';
import { Pool } from 'pg';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { IsTenantId, MayBeLeftOut } from '../endpoint/rules';
import { listUsage, type Usage } from './usage.queries';

const DAY = /^\d{4}-\d{2}-\d{2}$/;

class UsageQuery {
  @ApiPropertyOptional({ description: 'One tenant; all when left out', example: 'demo' })
  @MayBeLeftOut()
  @IsTenantId()
  tenantId?: string;

  @ApiPropertyOptional({ description: 'First UTC day, YYYY-MM-DD', format: 'date' })
  @MayBeLeftOut()
  @Matches(DAY, { message: '$property must be a day, YYYY-MM-DD' })
  @IsDateString({ strict: true })
  from?: string;

  @ApiPropertyOptional({ description: 'Last UTC day, YYYY-MM-DD', format: 'date' })
  @MayBeLeftOut()
  @Matches(DAY, { message: '$property must be a day, YYYY-MM-DD' })
  @IsDateString({ strict: true })
  to?: string;
}

class UsageRow {
  @ApiProperty({ example: 'demo' })
  tenantId!: string;

  @ApiProperty({ format: 'date', example: '2026-11-24' })
  day!: string;

  @ApiProperty({ example: 'sale.completed' })
  type!: string;

  @ApiProperty({ example: 4 })
  events!: number;

  @ApiProperty({ example: 448 })
  bytes!: number;
}

class UsageResponse {
  @ApiProperty({ type: [UsageRow], description: 'Newest day first' })
  usage!: Usage[];
}

@AdminEndpoint()
@Controller('v1/admin/usage')
export class UsageController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @ApiOperation({ summary: 'Events and bytes per tenant, day and type, counted exactly once.' })
  @ApiOkResponse({ type: UsageResponse })
  async list(@Query() query: UsageQuery): Promise<UsageResponse> {
    return { usage: await listUsage(this.pool, query) };
  }
}
