import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { Problem } from '../../event/problems';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import {
  DeliveriesQuery,
  DeliveryPath,
  DeliveryQuery,
  DiscardDeliveriesRequest,
  RetryDeliveriesRequest,
} from './deliveries.requests';
import {
  DeliveriesDiscardedResponse,
  DeliveriesPage,
  DeliveriesRetriedResponse,
  DeliveryResponse,
} from './deliveries.responses';
import { DeliveryActions } from './delivery-actions';
import { findDelivery, listDeliveryAttempts } from './delivery-details.queries';
import { findDeliveriesPage } from './matching-deliveries';

const EXAMPLE_DESTINATION = '01a20e66-f418-70fd-86af-aaf8d24380fd';

@AdminEndpoint()
@Controller('v1/admin/deliveries')
export class DeliveriesController {
  constructor(
    private readonly pool: Pool,
    private readonly actions: DeliveryActions,
  ) {}

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listDeliveries',
    summary: 'List deliveries, newest event first.',
    description:
      'Lists the newest delivery of each event to each destination. The filter selects by event and by delivery.',
  })
  @ApiOkResponse({ type: DeliveriesPage })
  list(@Query() query: DeliveriesQuery, @Acting() acting: ActingOperator): Promise<DeliveriesPage> {
    return findDeliveriesPage(this.pool, query, acting);
  }

  @Get(':id/:destinationId')
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'getDelivery',
    summary: 'Retrieve a delivery with its attempts.',
  })
  @ApiOkResponse({ type: DeliveryResponse })
  @ApiProblems('delivery-not-found')
  async read(
    @Param() { id, destinationId }: DeliveryPath,
    @Query() { generation }: DeliveryQuery,
    @Acting() { tenantIds }: ActingOperator,
  ): Promise<DeliveryResponse> {
    const found = await findDelivery(this.pool, { eventId: id, destinationId, generation }, tenantIds);
    if (!found) throw new Problem('delivery-not-found', 'The event has no such delivery to this destination.');
    const key = { eventId: id, destinationId, generation: found.generation };
    return { ...found, attemptLog: await listDeliveryAttempts(this.pool, key) };
  }

  @Post('retry')
  @LeastRole('support')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'retryDeliveries',
    summary: 'Retry deliveries. They are due at once, with their whole retry schedule.',
    description:
      'Retries FAILED deliveries unless `status` says otherwise. Deliveries to a destination that is disabled or deleted are skipped. If the payloads of all events in `eventIds` were erased, the request is refused with `event-erased`.',
  })
  @ApiBody({
    type: RetryDeliveriesRequest,
    examples: { count: { value: { destinationId: EXAMPLE_DESTINATION, statusClass: '5xx', dryRun: true } } },
  })
  @ApiAction(DeliveriesRetriedResponse, 'event-erased')
  async retry(
    @Body() request: RetryDeliveriesRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeliveriesRetriedResponse> {
    const { repeated, changed, ...rest } = await this.actions.retry(request, headers);
    markRepeated(reply, repeated);
    return { accepted: true, ...rest, retried: changed, dryRun: request.dryRun };
  }

  @Post('discard')
  @LeastRole('support')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'discardDeliveries',
    summary: 'Discard deliveries. Their status becomes DISCARDED; nothing is deleted.',
    description:
      'Discards FAILED deliveries unless `status` says otherwise. Deliveries that a worker is sending are skipped.',
  })
  @ApiBody({
    type: DiscardDeliveriesRequest,
    examples: { count: { value: { destinationId: EXAMPLE_DESTINATION, note: 'test data', dryRun: true } } },
  })
  @ApiAction(DeliveriesDiscardedResponse)
  async discard(
    @Body() request: DiscardDeliveriesRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DeliveriesDiscardedResponse> {
    const { repeated, changed, erased: _erased, ...rest } = await this.actions.discard(request, headers);
    markRepeated(reply, repeated);
    return { accepted: true, ...rest, discarded: changed, dryRun: request.dryRun };
  }
}
