import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { IsDateString, IsOptional, Matches } from 'class-validator';
import { Pool } from 'pg';
import { AdminTokenGuard } from './admin-token.guard';
import { listUsage, type Usage } from './usage.queries';

class UsageQuery {
  @ApiPropertyOptional({ description: 'One tenant; all when left out' })
  @IsOptional()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, { message: 'tenantId must be a tenant id' })
  tenantId?: string;

  @ApiPropertyOptional({ description: 'First UTC day, YYYY-MM-DD' })
  @IsOptional()
  @IsDateString({ strict: true })
  from?: string;

  @ApiPropertyOptional({ description: 'Last UTC day, YYYY-MM-DD' })
  @IsOptional()
  @IsDateString({ strict: true })
  to?: string;
}

@ApiTags('admin')
@ApiSecurity('admin-token')
@UseGuards(AdminTokenGuard)
@Controller('v1/admin/usage')
export class UsageController {
  constructor(@Inject(Pool) private readonly pool: Pool) {}

  @Get()
  @ApiOperation({ summary: 'Events and bytes per tenant, day and type, counted exactly once.' })
  async list(@Query() query: UsageQuery): Promise<{ usage: Usage[] }> {
    return { usage: await listUsage(this.pool, query) };
  }
}
