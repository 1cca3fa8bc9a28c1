import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { scopeOf } from '../../access/tenant-scope';
import { Problem } from '../../event/problems';
import { ApiProblems } from '../../http/docs/api-problem';
import type { KeptRequestResponse } from '../../http/docs/kept-request.response';
import { findRejection, listRejections, type KeptRejection } from '../../rejections/rejections.queries';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { cursorAfter, decodeCursor } from '../endpoint/paging';
import { rawBeginning } from '../endpoint/raw-bytes';
import { RejectionPath, RejectionsQuery } from './rejections.requests';
import { RejectionResponse, RejectionsPage } from './rejections.responses';

@AdminEndpoint()
@Controller('v1/admin/rejections')
export class RejectionsController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listRejections',
    summary: 'List what was refused and kept, newest first. The list has no bytes.',
  })
  @ApiOkResponse({ type: RejectionsPage })
  async list(@Query() query: RejectionsQuery, @Acting() acting: ActingOperator): Promise<RejectionsPage> {
    const { tenantId, sourceId = null, code = null, correlationId = null, from = null, to = null, limit } = query;
    const filter = { ...scopeOf(acting, tenantId), sourceId, code, correlationId, from, to };
    const page = { before: decodeCursor('rejections', query.cursor), limit };
    const rejections = await listRejections(this.pool, filter, page);
    return { rejections, nextCursor: cursorAfter('rejections', rejections, limit) };
  }

  @Get(':id')
  @LeastRole('support')
  @NoQuery()
  @ApiOperation({
    operationId: 'getRejection',
    summary: 'Retrieve a rejection with the request and the bytes that were refused.',
  })
  @ApiOkResponse({ type: RejectionResponse })
  @ApiProblems('rejection-not-found')
  async read(@Param() { id }: RejectionPath, @Acting() { tenantIds }: ActingOperator): Promise<RejectionResponse> {
    const found = await findRejection(this.pool, id, tenantIds);
    if (!found) throw new Problem('rejection-not-found', 'No rejection has this id.');
    return toResponse(found);
  }
}

function toResponse({ body, requestJson, ...rejection }: KeptRejection): RejectionResponse {
  const truncated = body.length < rejection.sizeBytes;
  const request = requestJson === null ? null : (JSON.parse(requestJson) as KeptRequestResponse);
  return { ...rejection, ...rawBeginning(body, truncated), truncated, request };
}
