import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { CorrelationId } from '../../http/correlation';
import { Pool } from 'pg';
import { Courier } from '../../destinations/courier';
import { listDestinations } from '../../destinations/destinations.queries';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import {
  DestinationResponse,
  DestinationsPage,
  NewSecretResponse,
  TestDeliveryResponse,
  toResponse,
} from './destinations.responses';
import {
  DestinationChangeRequest,
  DestinationPath,
  DestinationRequest,
  DestinationsQuery,
  RotateSecretRequest,
} from './destinations.requests';
import { sendTest } from './send-test-event';
import { Destinations } from './destinations';

const DESTINATION_EXAMPLE = { tenantId: 'demo', url: 'https://example.com/hooks/orders', eventTypes: ['order.*'] };

@AdminEndpoint()
@Controller('v1/admin/destinations')
export class DestinationsController {
  constructor(
    private readonly pool: Pool,
    private readonly destinations: Destinations,
    private readonly courier: Courier,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listDestinations', summary: 'Destinations of one tenant or all, the newest first.' })
  @ApiOkResponse({ type: DestinationsPage })
  async list(@Query() { tenantId, cursor, limit }: DestinationsQuery): Promise<DestinationsPage> {
    const page = await listDestinations(this.pool, { tenantId, before: cursor, limit });
    const last = page.at(-1);
    return { destinations: page.map(toResponse), nextCursor: last && page.length === limit ? last.id : null };
  }

  @Post()
  @ApiOperation({
    operationId: 'createDestination',
    summary: 'Register a destination. Its secret is in this response and in no other.',
    description: 'Every event that matches and is accepted after this response is delivered to it.',
  })
  @ApiBody({ type: DestinationRequest, examples: { orders: { value: DESTINATION_EXAMPLE } } })
  @ApiProblems('too-many-destinations', ...BODY_PROBLEMS)
  @ApiCreatedResponse({ type: NewSecretResponse })
  async create(@Body() body: DestinationRequest, @CorrelationId() correlationId: string): Promise<NewSecretResponse> {
    const { destination, secret } = await this.destinations.create(body, correlationId);
    return { ...toResponse(destination), secret };
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getDestination', summary: 'One destination, without its secret.' })
  @ApiOkResponse({ type: DestinationResponse })
  @ApiProblems('destination-not-found')
  async read(@Param() { id }: DestinationPath): Promise<DestinationResponse> {
    return toResponse(await this.destinations.find(id));
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'changeDestination',
    summary: 'Change the fields that are given. Any change closes its circuit, so that it is tried at once.',
  })
  @ApiOkResponse({ type: DestinationResponse })
  @ApiProblems('destination-not-found', ...BODY_PROBLEMS)
  async change(
    @Param() { id }: DestinationPath,
    @Body() body: DestinationChangeRequest,
    @CorrelationId() correlationId: string,
  ): Promise<DestinationResponse> {
    return toResponse(await this.destinations.change(id, body, correlationId));
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ operationId: 'deleteDestination', summary: 'Delete a destination; events no longer wait for it.' })
  @ApiNoContentResponse()
  @ApiProblems('destination-not-found')
  async delete(@Param() { id }: DestinationPath, @CorrelationId() correlationId: string): Promise<void> {
    await this.destinations.delete(id, correlationId);
  }

  @Post(':id/test')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'testDestination',
    summary: 'Send one test event and return the response to it. Nothing is stored or retried.',
  })
  @ApiOkResponse({ type: TestDeliveryResponse })
  @ApiProblems('destination-not-found')
  async test(@Param() { id }: DestinationPath, @CorrelationId() correlationId: string): Promise<TestDeliveryResponse> {
    return sendTest(this.courier, await this.destinations.find(id), correlationId);
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rotateDestinationSecret',
    summary: 'Make a new secret. For a while deliveries are signed with both.',
  })
  @ApiOkResponse({ type: NewSecretResponse })
  @ApiProblems('destination-not-found', ...BODY_PROBLEMS)
  async rotate(
    @Param() { id }: DestinationPath,
    @Body() { overlapSeconds }: RotateSecretRequest,
    @CorrelationId() correlationId: string,
  ): Promise<NewSecretResponse> {
    const { destination, secret } = await this.destinations.rotate(id, overlapSeconds, correlationId);
    return { ...toResponse(destination), secret };
  }
}
