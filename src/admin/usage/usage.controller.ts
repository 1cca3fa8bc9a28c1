import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { parseInstant } from '../../event/instant';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { damagedCursor, decodeKeyCursor, encodeKeyCursor } from '../endpoint/paging';
import { scopeOf } from '../../access/tenant-scope';
import { firstDayOf, lastDayOf } from './usage-days';
import { listUsage, type UsageCriteria } from './usage.queries';
import { UsageQuery } from './usage.requests';
import { UsageResponse } from './usage.responses';

@AdminEndpoint()
@Controller('v1/admin/usage')
export class UsageController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listUsage',
    summary: 'List the number and bytes of processed events by tenant, UTC day of receipt and type, newest day first.',
    description:
      'An event counts once a generation, when its handlers succeed. A dead letter counts once it was retried with success. A replay with mode `reprocess` starts a new generation, so its events count again.',
  })
  @ApiOkResponse({ type: UsageResponse })
  async list(@Query() query: UsageQuery, @Acting() acting: ActingOperator): Promise<UsageResponse> {
    const usage = await listUsage(this.pool, criteriaOf(query, acting));
    const last = usage.at(-1);
    const more = last && usage.length === query.limit;
    return { usage, nextCursor: more ? encodeKeyCursor('usage', [last.day, last.tenantId, last.type]) : null };
  }
}

function criteriaOf({ tenantId, from, to, limit, cursor }: UsageQuery, acting: ActingOperator): UsageCriteria {
  return {
    ...scopeOf(acting, tenantId),
    firstDay: from === undefined ? null : firstDayOf(from),
    lastDay: to === undefined ? null : lastDayOf(to),
    after: cursor === undefined ? null : rowBefore(cursor),
    limit,
  };
}

/** @throws Problem `invalid-request` */
function rowBefore(cursor: string): UsageCriteria['after'] {
  const [day = '', tenantId = '', type = ''] = decodeKeyCursor('usage', cursor, 3);
  if (!parseInstant(`${day}T00:00:00Z`)) throw damagedCursor();
  return { day, tenantId, type };
}
