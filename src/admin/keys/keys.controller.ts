import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody } from '../endpoint/no-input';
import { TenantPath } from '../tenants/tenants.requests';
import { Keys } from './keys';
import { KeyPath, KeyRequest, KeysQuery, RotateKeyRequest } from './keys.requests';
import { KeysPage, NewKeyResponse } from './keys.responses';

@AdminEndpoint()
@Controller('v1/admin/tenants/:tenantId/keys')
export class KeysController {
  constructor(private readonly keys: Keys) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({ operationId: 'listKeys', summary: 'List the API keys of a tenant, newest first.' })
  @ApiOkResponse({ type: KeysPage })
  @ApiProblems('tenant-not-found')
  list(
    @Param() { tenantId }: TenantPath,
    @Query() query: KeysQuery,
    @Acting() acting: ActingOperator,
  ): Promise<KeysPage> {
    return this.keys.list(tenantId, query, acting);
  }

  @Post()
  @LeastRole('owner')
  @ApiOperation({
    operationId: 'createKey',
    summary: 'Create an API key. The key is returned only in this response.',
    description: 'Every api process accepts the key once this is answered. A tenant has at most 20 live keys.',
  })
  @ApiBody({ type: KeyRequest, examples: { till: { value: { name: 'till 17', scopes: ['ingest'] } } } })
  @ApiCreatedResponse({ type: NewKeyResponse })
  @ApiProblems('tenant-reserved', 'role-insufficient', 'tenant-not-found', 'too-many-credentials', ...BODY_PROBLEMS)
  create(
    @Param() { tenantId }: TenantPath,
    @Body() body: KeyRequest,
    @Acting() acting: ActingOperator,
  ): Promise<NewKeyResponse> {
    return this.keys.create(tenantId, body, acting);
  }

  @Post(':id/rotate')
  @LeastRole('owner')
  @ApiOperation({
    operationId: 'rotateKey',
    summary: 'Create a second key with the same rights. The first one ends after `overlapSeconds`.',
    description: 'The second key expires when the first one would have expired without the rotation.',
  })
  @ApiBody({ type: RotateKeyRequest, required: false })
  @ApiCreatedResponse({ type: NewKeyResponse })
  @ApiProblems('tenant-not-found', 'key-not-found', 'too-many-credentials', ...BODY_PROBLEMS)
  rotate(
    @Param() path: KeyPath,
    @Body() { overlapSeconds }: RotateKeyRequest,
    @Acting() acting: ActingOperator,
  ): Promise<NewKeyResponse> {
    return this.keys.rotate(path, overlapSeconds, acting);
  }

  @Delete(':id')
  @LeastRole('owner')
  @HttpCode(204)
  @NoBody()
  @ApiOperation({
    operationId: 'deleteKey',
    summary: 'Revoke an API key. Every api process refuses the key once this is answered.',
  })
  @ApiNoContentResponse()
  @ApiProblems('tenant-not-found', 'key-not-found')
  delete(@Param() path: KeyPath, @Acting() acting: ActingOperator): Promise<void> {
    return this.keys.revoke(path, acting);
  }
}
