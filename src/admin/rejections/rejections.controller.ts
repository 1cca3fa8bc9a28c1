import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { Problem } from '../../event/problems';
import { ApiProblems } from '../../http/docs/api-problem';
import type { KeptRequestResponse } from '../../http/docs/kept-request.response';
import type { JsonDiff } from '../../expressions/patch/json-diff';
import { exactValue } from '../../event/json/exact-value';
import { findRejection, type KeptRejection } from '../../rejections/rejections.queries';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { decodeCursor, encodeCursor } from '../endpoint/paging';
import { rawBeginning } from '../endpoint/raw-bytes';
import { ConflictDiff } from './conflict-diff';
import { rejectionCriteriaOf } from './rejection-criteria';
import { listRejectionReasons } from './rejection-reasons.queries';
import { findRejections } from './rejection-search.queries';
import { RejectionPath, RejectionReasonsQuery, RejectionsQuery } from './rejections.requests';
import {
  PatchOperationResponse,
  RejectionReasonsResponse,
  RejectionResponse,
  RejectionsPage,
} from './rejections.responses';

@AdminEndpoint()
@Controller('v1/admin/rejections')
export class RejectionsController {
  constructor(
    private readonly pool: Pool,
    private readonly conflict: ConflictDiff,
  ) {}

  @Get('reasons')
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listRejectionReasons',
    summary: 'List the reasons of rejections by code, place in the record and source, most frequent first.',
  })
  @ApiOkResponse({ type: RejectionReasonsResponse })
  async reasons(
    @Query() query: RejectionReasonsQuery,
    @Acting() acting: ActingOperator,
  ): Promise<RejectionReasonsResponse> {
    return listRejectionReasons(this.pool, rejectionCriteriaOf(query, acting), query.limit);
  }

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listRejections',
    summary: 'List what was refused and kept, newest first. The list has no bytes.',
  })
  @ApiOkResponse({ type: RejectionsPage })
  async list(@Query() query: RejectionsQuery, @Acting() acting: ActingOperator): Promise<RejectionsPage> {
    const criteria = rejectionCriteriaOf(query, acting, decodeCursor('rejections', query.cursor));
    const { rejections, lookedDownTo } = await findRejections(this.pool, criteria, query.limit);
    return { rejections, nextCursor: lookedDownTo && encodeCursor('rejections', lookedDownTo) };
  }

  @Get(':id')
  @LeastRole('support')
  @NoQuery()
  @ApiOperation({
    operationId: 'getRejection',
    summary: 'Retrieve a rejection with the request and the bytes that were refused.',
    description:
      'If the record is in conflict with a stored event, `diff` leads from the content of that event to the content of ' +
      'the record.',
  })
  @ApiOkResponse({ type: RejectionResponse })
  @ApiProblems('rejection-not-found')
  async read(@Param() { id }: RejectionPath, @Acting() { tenantIds }: ActingOperator): Promise<RejectionResponse> {
    const found = await findRejection(this.pool, id, tenantIds);
    if (!found) throw new Problem('rejection-not-found', 'No rejection has this id.');
    return toResponse(found, await this.conflict.find(found));
  }
}

function toResponse({ body, requestJson, ...rejection }: KeptRejection, conflict: JsonDiff | null): RejectionResponse {
  const truncated = body.length < rejection.sizeBytes;
  const request = requestJson === null ? null : (JSON.parse(requestJson) as KeptRequestResponse);
  return {
    ...rejection,
    ...rawBeginning(body, truncated),
    truncated,
    request,
    diff: conflict && (exactValue(conflict.operations) as PatchOperationResponse[]),
    diffTruncated: conflict?.truncated ?? false,
  };
}
