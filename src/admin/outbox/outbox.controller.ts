import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { CorrelationId } from '../../http/correlation';
import { Pool } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import { listFailedEntries, requeueFailed } from '../../event-state/failed-entries.queries';
import { BACKLOG_CAP, readOutboxFigures } from '../../event-state/figures.queries';
import { ApiProblems, BODY_PROBLEMS } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { AdminTransactions } from '../endpoint/admin-transactions';
import { recordChange } from '../audit/audit.queries';
import { MOST_REQUEUED, OutboxRetryRequest } from './outbox.requests';
import { OutboxResponse, OutboxRetryResponse } from './outbox.responses';

const FAILED_SHOWN = 100;

@AdminEndpoint()
@Controller('v1/admin/outbox')
export class OutboxController {
  constructor(
    private readonly pool: Pool,
    private readonly transactions: AdminTransactions,
    private readonly wakeUp: WakeUp,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'getOutbox',
    summary: 'Show the number of open entries, the age of the oldest, and the FAILED entries.',
  })
  @ApiOkResponse({ type: OutboxResponse })
  async read(): Promise<OutboxResponse> {
    const { pending, inFlight, failed, oldestOpenSeconds } = await readOutboxFigures(this.pool);
    return {
      states: { PENDING: pending, IN_FLIGHT: inFlight, FAILED: failed },
      countedUpTo: BACKLOG_CAP,
      oldestPendingSeconds: oldestOpenSeconds,
      failed: await listFailedEntries(this.pool, FAILED_SHOWN),
    };
  }

  @Post('retry')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'retryOutboxEntries',
    summary: 'Return FAILED entries to PENDING, so that the publisher tries them again.',
  })
  @ApiBody({ type: OutboxRetryRequest, required: false, examples: { all: { value: {} } } })
  @ApiAcceptedResponse({ type: OutboxRetryResponse })
  @ApiProblems(...BODY_PROBLEMS)
  async retry(
    @Body() { ids }: OutboxRetryRequest,
    @CorrelationId() correlationId: string,
  ): Promise<OutboxRetryResponse> {
    const counts = await this.transactions.run(async (db) => {
      const requeued = await requeueFailed(db, { ...(ids ? { ids } : {}), limit: MOST_REQUEUED });
      const matched = ids ? new Set(ids).size : requeued.length;
      const change = { matched, requeued: requeued.length, skipped: matched - requeued.length };
      const filter = ids ? { ids } : {};
      await recordChange(db, { action: 'outbox.retry', filter, counts: change, correlationId });
      return change;
    });
    this.wakeUp.signal();
    return { accepted: true, ...counts, correlationId };
  }
}
