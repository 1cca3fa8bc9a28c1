import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { scopeOf } from '../../access/tenant-scope';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { listSources } from '../../sources/directory/sources.queries';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody, NoQuery } from '../endpoint/no-input';
import { cursorAfter, decodeCursor } from '../endpoint/paging';
import { SourceView } from './source-view';
import { Sources } from './sources';
import {
  RotateSourceSecretRequest,
  RotateTokenRequest,
  SourceByUidRequest,
  SourceChangeRequest,
  SourcePath,
  SourceRequest,
  SourcesQuery,
  SourceUidPath,
} from './sources.requests';
import { SourceResponse, SourcesPage, SourceWithUrlResponse } from './sources.responses';

const STRIPE = { tenantId: 'demo', name: 'shop payments', provider: 'stripe', secrets: ['whsec_…'] };
const CUSTOM = {
  tenantId: 'demo',
  name: 'till',
  provider: 'custom',
  verification: { scheme: 'hmac', algorithm: 'sha256', encoding: 'hex', header: 'x-signature', signed: '{body}' },
  mapping: { eventType: '/type', subject: '/id' },
};
const EXAMPLES = { stripe: { value: STRIPE }, custom: { value: CUSTOM } };
const CREATION_PROBLEMS = ['tenant-reserved', 'tenant-not-found', 'too-many-sources', ...BODY_PROBLEMS] as const;

@AdminEndpoint()
@Controller('v1/admin/sources')
export class AdminSourcesController {
  constructor(
    private readonly pool: Pool,
    private readonly sources: Sources,
    private readonly view: SourceView,
  ) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listSources',
    summary: 'List the sources of one tenant or of all tenants, newest first.',
  })
  @ApiOkResponse({ type: SourcesPage })
  async list(
    @Query() { tenantId, cursor, limit }: SourcesQuery,
    @Acting() acting: ActingOperator,
  ): Promise<SourcesPage> {
    const before = decodeCursor('sources', cursor);
    const page = await listSources(this.pool, { ...scopeOf(acting, tenantId), before, limit });
    return { sources: await this.view.showAll(page), nextCursor: cursorAfter('sources', page, limit) };
  }

  @Post()
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'createSource',
    summary: 'Create a source. Its URL is returned only in this response.',
    description: 'The secret may follow: most providers show it only once they know the URL.',
  })
  @ApiBody({ type: SourceRequest, examples: EXAMPLES })
  @ApiProblems('already-exists', ...CREATION_PROBLEMS)
  @ApiCreatedResponse({ type: SourceWithUrlResponse })
  async create(@Body() body: SourceRequest, @Acting() acting: ActingOperator): Promise<SourceWithUrlResponse> {
    return this.view.showWithUrl(await this.sources.create(body, acting));
  }

  @Put('uid/:uid')
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'putSource',
    summary: 'Create the source that a tenant calls `uid`, or replace its fields.',
    description:
      'Fields that are left out get their defaults, apart from `secrets`, which stay. The response to a creation has the ' +
      '`url`.',
  })
  @ApiBody({ type: SourceByUidRequest, examples: EXAMPLES })
  @ApiProblems('already-exists', ...CREATION_PROBLEMS)
  @ApiCreatedResponse({ type: SourceWithUrlResponse })
  @ApiOkResponse({ type: SourceResponse })
  async put(
    @Param() { uid }: SourceUidPath,
    @Body() body: SourceByUidRequest,
    @Acting() acting: ActingOperator,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<SourceResponse> {
    const put = await this.sources.put(uid, body, acting);
    const isNew = 'token' in put;
    reply.status(isNew ? 201 : 200);
    return isNew ? this.view.showWithUrl(put) : this.view.show(put.source);
  }

  @Get(':id')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'getSource',
    summary: 'Retrieve a source. The response contains neither its secrets nor its URL.',
  })
  @ApiOkResponse({ type: SourceResponse })
  @ApiProblems('source-not-found')
  async read(@Param() { id }: SourcePath, @Acting() acting: ActingOperator): Promise<SourceResponse> {
    return this.view.show(await this.sources.find(id, acting));
  }

  @Patch(':id')
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'changeSource',
    summary: 'Update the given fields of a source. Objects such as `mapping` are replaced as a whole.',
  })
  @ApiOkResponse({ type: SourceResponse })
  @ApiProblems('source-not-found', 'too-many-sources', ...BODY_PROBLEMS)
  async change(
    @Param() { id }: SourcePath,
    @Body() body: SourceChangeRequest,
    @Acting() acting: ActingOperator,
  ): Promise<SourceResponse> {
    return this.view.show(await this.sources.change(id, body, acting));
  }

  @Delete(':id')
  @LeastRole('operator')
  @HttpCode(204)
  @NoBody()
  @ApiOperation({
    operationId: 'deleteSource',
    summary: 'Delete a source. Its URL answers 404 from then on; its events and rejections stay.',
  })
  @ApiNoContentResponse()
  @ApiProblems('source-not-found')
  async delete(@Param() { id }: SourcePath, @Acting() acting: ActingOperator): Promise<void> {
    await this.sources.delete(id, acting);
  }

  @Post(':id/rotate-token')
  @LeastRole('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rotateSourceToken',
    summary:
      'Give a source a new URL. The old one works for `overlapSeconds` more, or the one before it does (`keepPrevious`).',
  })
  @ApiBody({ type: RotateTokenRequest, required: false })
  @ApiOkResponse({ type: SourceWithUrlResponse })
  @ApiProblems('source-not-found', ...BODY_PROBLEMS)
  async rotateToken(
    @Param() { id }: SourcePath,
    @Body() body: RotateTokenRequest,
    @Acting() acting: ActingOperator,
  ): Promise<SourceWithUrlResponse> {
    return this.view.showWithUrl(await this.sources.rotateToken(id, body, acting));
  }

  @Post(':id/rotate-secret')
  @LeastRole('operator')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rotateSourceSecret',
    summary:
      'Give a source a new secret. The newest one before it counts for `overlapSeconds` more. A repeated request changes nothing.',
  })
  @ApiBody({ type: RotateSourceSecretRequest })
  @ApiOkResponse({ type: SourceResponse })
  @ApiProblems('source-not-found', ...BODY_PROBLEMS)
  async rotateSecret(
    @Param() { id }: SourcePath,
    @Body() body: RotateSourceSecretRequest,
    @Acting() acting: ActingOperator,
  ): Promise<SourceResponse> {
    return this.view.show(await this.sources.rotateSecret(id, body, acting));
  }
}
