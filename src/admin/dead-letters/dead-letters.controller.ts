import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { CorrelationId } from '../../http/correlation';
import { Pool } from 'pg';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { DeadLetterActions } from './dead-letter-actions';
import { DeadLettersQuery, DiscardRequest, ReasonsQuery, RetryRequest } from './dead-letters.requests';
import { DeadLettersPage, DiscardResponse, DeadLetterReasonsResponse, RetryResponse } from './dead-letters.responses';
import { listReasons, readDeadLetters } from './dead-letters.queries';
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
  @ApiOperation({
    operationId: 'listDeadLetterReasons',
    summary: 'List the reasons for unresolved dead letters, most frequent first.',
  })
  @ApiOkResponse({ type: DeadLetterReasonsResponse })
  async reasons(@Query() query: ReasonsQuery): Promise<DeadLetterReasonsResponse> {
    return listReasons(this.pool, criteriaOf(query), query.limit);
  }

  @Get()
  @ApiOperation({
    operationId: 'listDeadLetters',
    summary: 'List unresolved dead letters, newest event first.',
  })
  @ApiOkResponse({ type: DeadLettersPage })
  async list(@Query() query: DeadLettersQuery): Promise<DeadLettersPage> {
    const { events, nextCursor } = await findPage(this.pool, 'dlq', query);
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
  @HttpCode(202)
  @ApiOperation({
    operationId: 'retryDeadLetters',
    summary: 'Retry dead letters. Handlers that already succeeded do not run again.',
    description:
      'With `dryRun`, the request only counts the matching events. Events that are pending in a replay are skipped.',
  })
  @ApiBody({ type: RetryRequest, examples: { count: { value: { tenantId: 'demo', dryRun: true } } } })
  @ApiAcceptedResponse({ type: RetryResponse })
  @ApiProblems(...BODY_PROBLEMS)
  async retry(@Body() request: RetryRequest, @CorrelationId() correlationId: string): Promise<RetryResponse> {
    const { matched, changed, skipped } = await this.actions.retry(request, correlationId);
    return { accepted: true, matched, retried: changed, skipped, dryRun: request.dryRun, correlationId };
  }

  @Post('discard')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'discardDeadLetters',
    summary: 'Discard dead letters. Their status becomes DISCARDED; no event is deleted.',
  })
  @ApiBody({
    type: DiscardRequest,
    examples: { count: { value: { tenantId: 'demo', note: 'test data', dryRun: true } } },
  })
  @ApiAcceptedResponse({ type: DiscardResponse })
  @ApiProblems(...BODY_PROBLEMS)
  async discard(@Body() request: DiscardRequest, @CorrelationId() correlationId: string): Promise<DiscardResponse> {
    const { matched, changed, skipped } = await this.actions.discard(request, correlationId);
    return { accepted: true, matched, discarded: changed, skipped, dryRun: request.dryRun, correlationId };
  }
}
