import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { scopeOf } from '../../access/tenant-scope';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { CONDITION_KINDS } from '../../operator-events/condition';
import { listConditions } from '../../operator-events/condition.queries';
import { shownConditions } from '../../operator-events/tell';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { decodeCursor, encodeCursor } from '../endpoint/paging';
import { ConditionsQuery } from './conditions.requests';
import { ConditionsPage } from './conditions.responses';

/** What operator events were raised for and is not over. Publishers write it (src/operator-events). */
@AdminEndpoint()
@Controller('v1/admin/conditions')
export class ConditionsController {
  constructor(
    private readonly pool: Pool,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'CONSOLE_URL' | 'PUBLIC_URL'>,
  ) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listConditions',
    summary: 'List what is wrong now: the conditions that operator events have raised and not cleared.',
    description:
      'The last one that was raised comes first. Where one event stands for many, it alone is listed, with their count; ' +
      'with a `tenantId`, and for an operator who is bound to tenants, those of these tenants are listed instead. ' +
      '`receiver.failing` is listed here and raises no event.',
  })
  @ApiOkResponse({ type: ConditionsPage })
  async list(
    @Query() { tenantId, cursor, limit }: ConditionsQuery,
    @Acting() acting: ActingOperator,
  ): Promise<ConditionsPage> {
    const before = decodeCursor('conditions', cursor);
    const page = await listConditions(this.pool, CONDITION_KINDS, { ...scopeOf(acting, tenantId), before, limit });
    const last = page.length === limit ? page.at(-1) : undefined;
    return {
      conditions: shownConditions(page, this.settings),
      nextCursor: last ? encodeCursor('conditions', last.incident) : null,
    };
  }
}
