import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody, NoQuery } from '../endpoint/no-input';
import { TenantPath } from '../tenants/tenants.requests';
import { Expectations } from './expectations';
import { ExpectationPath, ExpectationRequest } from './expectations.requests';
import { ExpectationResponse, ExpectationsResponse } from './expectations.responses';

@AdminEndpoint()
@Controller('v1/admin/tenants/:tenantId/expectations')
export class ExpectationsController {
  constructor(private readonly expectations: Expectations) {}

  @Get()
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'listExpectations',
    summary: 'List what is expected of the event types of a tenant.',
    description: 'A type of which less comes than is expected raises the operator event `type.silent`.',
  })
  @ApiOkResponse({ type: ExpectationsResponse })
  @ApiProblems('tenant-not-found')
  async list(@Param() { tenantId }: TenantPath, @Acting() acting: ActingOperator): Promise<ExpectationsResponse> {
    return { expectations: await this.expectations.list(tenantId, acting), nextCursor: null };
  }

  @Put(':eventType')
  @LeastRole('operator')
  @ApiOperation({
    operationId: 'putExpectation',
    summary: 'Set what is expected of an event type of a tenant.',
    description: 'What is left out gets its default. A silence begins at the earliest when this is changed.',
  })
  @ApiBody({ type: ExpectationRequest, examples: { hourly: { value: { expectEverySeconds: 3_600 } } } })
  @ApiOkResponse({ type: ExpectationResponse })
  @ApiProblems('tenant-reserved', 'tenant-not-found', 'too-many-expectations', ...BODY_PROBLEMS)
  put(
    @Param() path: ExpectationPath,
    @Body() body: ExpectationRequest,
    @Acting() acting: ActingOperator,
  ): Promise<ExpectationResponse> {
    return this.expectations.put(path, body, acting);
  }

  @Delete(':eventType')
  @LeastRole('operator')
  @HttpCode(204)
  @NoBody()
  @ApiOperation({ operationId: 'deleteExpectation', summary: 'Expect nothing of an event type any more.' })
  @ApiNoContentResponse()
  @ApiProblems('tenant-not-found')
  delete(@Param() path: ExpectationPath, @Acting() acting: ActingOperator): Promise<void> {
    return this.expectations.delete(path, acting);
  }
}
