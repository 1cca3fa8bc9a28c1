import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { uuidV7Floor } from '../../event/uuid-v7';
import { decodeCursor, encodeCursor } from '../endpoint/paging';
import { idFloorOf, typeCriteriaOf } from '../events/event-criteria';
import { findAuditEntries, type AuditCriteria } from './audit-search.queries';
import { AuditQuery } from './audit.requests';
import { AuditPage } from './audit.responses';

@AdminEndpoint()
@Controller('v1/admin/audit')
export class AuditController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listAuditEntries',
    summary: 'List the changes that operators made and the requests that were refused, newest first.',
    description:
      'An operator who is bound to tenants sees the changes that were limited to these tenants. One page looks through ' +
      'at most 20000 entries, so it may be short or empty although `nextCursor` leads on.',
  })
  @ApiOkResponse({ type: AuditPage })
  async list(@Query() query: AuditQuery, @Acting() acting: ActingOperator): Promise<AuditPage> {
    const criteria = criteriaOf(query, acting, decodeCursor('audit', query.cursor));
    const { entries, lookedDownTo } = await findAuditEntries(this.pool, criteria, query.limit);
    return { entries, nextCursor: lookedDownTo && encodeCursor('audit', lookedDownTo) };
  }
}

/** Ids begin with the time of the change, so `from` and `to` become id bounds. The page starts below `beforeId`. */
function criteriaOf(query: AuditQuery, { tenantIds }: ActingOperator, beforeId = uuidV7Floor(Infinity)): AuditCriteria {
  const { actor = null, action, tenantId = null, from, to } = query;
  const { type, typePrefix } = typeCriteriaOf(action);
  const until = to === undefined ? beforeId : idFloorOf(to);
  return {
    ...{ tenantIds, actor, tenantId },
    ...{ action: type, actionPrefix: typePrefix },
    fromId: from === undefined ? uuidV7Floor(0) : idFloorOf(from),
    beforeId: until < beforeId ? until : beforeId,
  };
}
