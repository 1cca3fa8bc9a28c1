import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Pool } from 'pg';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { DeadLetterActions } from './dead-letter-actions';
import { DeadLettersQuery, DiscardRequest, ReasonsQuery, RetryRequest } from './dead-letters.requests';
import { DeadLettersPage, DiscardResponse, DeadLetterReasonsResponse, RetryResponse } from './dead-letters.responses';
import { listReasons } from './dead-letter-reasons.queries';
import { readDeadLetters } from './dead-letters.queries';
import { criteriaOf } from '../events/event-criteria';
import { findPage } from '../events/matching-events';

@AdminEndpoint()
@Controller('v1/admin/dlq')
export class DeadLettersController {
  constructor(
    private readonly pool: Pool,
    private readonly actions: DeadLetterActions,
  ) {}

  @Get('reasons')
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listDeadLetterReasons',
    summary: 'List the reasons for unresolved dead letters by destination, most frequent first.',
  })
  @ApiOkResponse({ type: DeadLetterReasonsResponse })
  async reasons(@Query() query: ReasonsQuery, @Acting() acting: ActingOperator): Promise<DeadLetterReasonsResponse> {
    return listReasons(this.pool, criteriaOf(query, acting), query.limit);
  }

  @Get()
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listDeadLetters',
    summary: 'List events in the DLQ: their handlers or deliveries failed and are not retried. Newest event first.',
  })
  @ApiOkResponse({ type: DeadLettersPage })
  async list(@Query() query: DeadLettersQuery, @Acting() acting: ActingOperator): Promise<DeadLettersPage> {
    const { events, nextCursor } = await findPage(this.pool, 'dlq', query, acting);
    const letters = await readDeadLetters(
      this.pool,
      events.map(({ id }) => id),
    );
    return {
      deadLetters: events.flatMap(({ id, eventId, tenantId, type, subject, receivedAt }) => {
        const letter = letters.get(id);
        return letter ? [{ ...letter, eventId, tenantId, type, subject, receivedAt }] : [];
      }),
      nextCursor,
    };
  }

  @Post('retry')
  @LeastRole('support')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'retryDeadLetters',
    summary: 'Retry dead letters. Handlers that already succeeded do not run again.',
    description:
      'If the handlers of an event are done, only its failed deliveries are retried, and only those that match ' +
      '`destinationId`, `reasonCode`, `statusClass` and `group` of the filter. Deliveries to destinations that are ' +
      'disabled or deleted are skipped. With `dryRun`, the request only counts the matching events. Events that are pending in a replay are skipped. ' +
      'If the payloads of all events in `eventIds` were erased, the request is refused with `event-erased`.',
  })
  @ApiBody({ type: RetryRequest, examples: { count: { value: { tenantId: 'demo', dryRun: true } } } })
  @ApiAction(RetryResponse, 'event-erased')
  async retry(
    @Body() request: RetryRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RetryResponse> {
    const { repeated, changed, ...rest } = await this.actions.retry(request, headers);
    markRepeated(reply, repeated);
    return { accepted: true, ...rest, retried: changed, dryRun: request.dryRun };
  }

  @Post('discard')
  @LeastRole('support')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'discardDeadLetters',
    summary: 'Discard dead letters, or their failed deliveries. The status becomes DISCARDED; no event is deleted.',
  })
  @ApiBody({
    type: DiscardRequest,
    examples: { count: { value: { tenantId: 'demo', note: 'test data', dryRun: true } } },
  })
  @ApiAction(DiscardResponse)
  async discard(
    @Body() request: DiscardRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<DiscardResponse> {
    const { repeated, changed, erased: _erased, ...rest } = await this.actions.discard(request, headers);
    markRepeated(reply, repeated);
    return { accepted: true, ...rest, discarded: changed, dryRun: request.dryRun };
  }
}
