import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody } from '../endpoint/no-input';
import { Operators } from './operators';
import { OperatorChangeRequest, OperatorPath, OperatorRequest, OperatorsQuery } from './operators.requests';
import { NewOperatorResponse, OperatorResponse, OperatorsPage } from './operators.responses';

@AdminEndpoint()
@Controller('v1/admin/operators')
export class OperatorsController {
  constructor(private readonly operators: Operators) {}

  @Get()
  @LeastRole('owner')
  @ApiOperation({ operationId: 'listOperators', summary: 'List the operators, newest first.' })
  @ApiOkResponse({ type: OperatorsPage })
  list(@Query() query: OperatorsQuery, @Acting() acting: ActingOperator): Promise<OperatorsPage> {
    return this.operators.list(query, acting);
  }

  @Post()
  @LeastRole('owner')
  @ApiOperation({
    operationId: 'createOperator',
    summary: 'Create an operator. The token is returned only in this response.',
    description: 'The operator sends the token in X-Admin-Token, or as Authorization: Bearer.',
  })
  @ApiBody({ type: OperatorRequest, examples: { support: { value: { name: 'ada', role: 'support' } } } })
  @ApiCreatedResponse({ type: NewOperatorResponse })
  @ApiProblems('already-exists', 'too-many-credentials', ...BODY_PROBLEMS)
  create(@Body() body: OperatorRequest, @Acting() acting: ActingOperator): Promise<NewOperatorResponse> {
    return this.operators.create(body, acting);
  }

  @Patch(':id')
  @LeastRole('owner')
  @ApiOperation({
    operationId: 'changeOperator',
    summary: 'Update the given fields of an operator. The token stays the same.',
  })
  @ApiOkResponse({ type: OperatorResponse })
  @ApiProblems('operator-not-found', 'already-exists', ...BODY_PROBLEMS)
  change(
    @Param() { id }: OperatorPath,
    @Body() body: OperatorChangeRequest,
    @Acting() acting: ActingOperator,
  ): Promise<OperatorResponse> {
    return this.operators.change(id, body, acting);
  }

  @Delete(':id')
  @LeastRole('owner')
  @HttpCode(204)
  @NoBody()
  @ApiOperation({
    operationId: 'deleteOperator',
    summary: 'Revoke the token of an operator. Every api process refuses the token once this is answered.',
  })
  @ApiNoContentResponse()
  @ApiProblems('operator-not-found')
  delete(@Param() { id }: OperatorPath, @Acting() acting: ActingOperator): Promise<void> {
    return this.operators.revoke(id, acting);
  }
}
