import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { scopeOf } from '../../access/tenant-scope';
import { Problem } from '../../event/problems';
import { parseUuid } from '../../event/uuid-v7';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { cursorAfter, pageBelow } from '../endpoint/paging';
import type { Erasure } from './erasure';
import { findErasure, listErasures } from './erasure.queries';
import { Erasures } from './erasures';
import { ErasureRequest, ErasuresQuery } from './erasures.requests';
import { ErasureResponse, ErasuresPage, StartedErasureResponse } from './erasures.responses';

@AdminEndpoint()
@Controller('v1/admin/erasures')
export class ErasuresController {
  constructor(
    private readonly pool: Pool,
    private readonly erasures: Erasures,
  ) {}

  @Post()
  @LeastRole('owner')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'startErasure',
    summary: 'Erase the payloads of events, and whatever else quotes them. With `dryRun`, only count.',
    description:
      'Exactly one of `subject`, `eventIds` and `before` says what is erased. It cannot be undone. Metadata, hashes, idempotency keys and the audit trail stay, so a resend is still a duplicate. Events that were not processed are DISCARDED, and deliveries that were not made are SKIPPED. Once an erasure is recorded, the publishers carry it out, and `GET /v1/admin/erasures/{erasureId}` has its progress. `POST /v1/admin/actions/{actionId}/cancel` stops what has not begun.',
  })
  @ApiBody({
    type: ErasureRequest,
    examples: { count: { value: { tenantId: 'demo', subject: 'customer-17', dryRun: true } } },
  })
  @ApiAction(StartedErasureResponse)
  @ApiProblems('tenant-not-found')
  async start(
    @Body() request: ErasureRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StartedErasureResponse> {
    const { repeated, notFound, ...started } = await this.erasures.start(request, headers);
    markRepeated(reply, repeated);
    const missing = { notFound: notFound.names, notFoundCount: notFound.count };
    return { accepted: true, actionId: started.erasureId, dryRun: request.dryRun, ...started, ...missing };
  }

  @Get()
  @LeastRole('viewer')
  @ApiOperation({ operationId: 'listErasures', summary: 'List erasures, newest first.' })
  @ApiOkResponse({ type: ErasuresPage })
  async list(@Query() query: ErasuresQuery, @Acting() acting: ActingOperator): Promise<ErasuresPage> {
    const found = await listErasures(this.pool, scopeOf(acting, query.tenantId), pageBelow('erasures', query));
    return { erasures: found.map(toResponse), nextCursor: cursorAfter('erasures', found, query.limit) };
  }

  @Get(':erasureId')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({ operationId: 'getErasure', summary: 'Show an erasure and what it has erased so far.' })
  @ApiParam({
    name: 'erasureId',
    format: 'uuid',
    description: 'The `erasureId` that POST /v1/admin/erasures returned',
  })
  @ApiOkResponse({ type: ErasureResponse })
  @ApiProblems('erasure-not-found')
  async show(@Param('erasureId') erasureId: string, @Acting() acting: ActingOperator): Promise<ErasureResponse> {
    const id = parseUuid(erasureId);
    const erasure = id === undefined ? undefined : await findErasure(this.pool, id, acting.tenantIds);
    if (!erasure) throw new Problem('erasure-not-found', 'No erasure has this id.');
    return toResponse(erasure);
  }
}

function toResponse({ id, ...rest }: Erasure): ErasureResponse {
  return { erasureId: id, ...rest };
}
