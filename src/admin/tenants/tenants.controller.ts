import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { Tenants } from './tenants';
import { TenantChangeRequest, TenantPath, TenantRequest, TenantsQuery } from './tenants.requests';
import { TenantResponse, TenantsPage } from './tenants.responses';

@AdminEndpoint()
@Controller('v1/admin/tenants')
export class TenantsController {
  constructor(private readonly tenants: Tenants) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({ operationId: 'listTenants', summary: 'List the registered tenants in the order of their ids.' })
  @ApiOkResponse({ type: TenantsPage })
  list(@Query() query: TenantsQuery, @Acting() acting: ActingOperator): Promise<TenantsPage> {
    return this.tenants.list(query, acting);
  }

  @Post()
  @LeastRole('owner')
  @ApiOperation({
    operationId: 'createTenant',
    summary: 'Register a tenant.',
    description: 'With TENANT_AUTH=key, keys and destinations need a registered tenant.',
  })
  @ApiBody({ type: TenantRequest, examples: { acme: { value: { id: 'acme', name: 'Acme Ltd' } } } })
  @ApiCreatedResponse({ type: TenantResponse })
  @ApiProblems('tenant-reserved', 'role-insufficient', 'already-exists', ...BODY_PROBLEMS)
  create(@Body() body: TenantRequest, @Acting() acting: ActingOperator): Promise<TenantResponse> {
    return this.tenants.create(body, acting);
  }

  @Get(':tenantId')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({ operationId: 'getTenant', summary: 'Retrieve a registered tenant.' })
  @ApiOkResponse({ type: TenantResponse })
  @ApiProblems('tenant-not-found')
  read(@Param() { tenantId }: TenantPath, @Acting() acting: ActingOperator): Promise<TenantResponse> {
    return this.tenants.find(tenantId, acting);
  }

  @Patch(':tenantId')
  @LeastRole('owner')
  @ApiOperation({
    operationId: 'changeTenant',
    summary: 'Update the given fields of a tenant. Every process applies the change once this is answered.',
  })
  @ApiOkResponse({ type: TenantResponse })
  @ApiProblems('tenant-not-found', 'tenant-reserved', 'role-insufficient', ...BODY_PROBLEMS)
  change(
    @Param() { tenantId }: TenantPath,
    @Body() body: TenantChangeRequest,
    @Acting() acting: ActingOperator,
  ): Promise<TenantResponse> {
    return this.tenants.change(tenantId, body, acting);
  }
}
