import { Body, Controller, Get, HttpCode, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Pool } from 'pg';
import { WakeUp } from '../../redis/wake-up';
import { listFailedEntries, requeueFailed } from '../../event-state/failed-entries.queries';
import { BACKLOG_CAP, readOutboxFigures } from '../../event-state/figures.queries';
import { recordActionOnEvents } from '../audit/event-actions.queries';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { AdminActions } from '../endpoint/admin-actions';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { MOST_REQUEUED, OutboxRetryRequest } from './outbox.requests';
import { OutboxResponse, OutboxRetryResponse } from './outbox.responses';

const FAILED_SHOWN = 100;

@AdminEndpoint()
@Controller('v1/admin/outbox')
export class OutboxController {
  constructor(
    private readonly pool: Pool,
    private readonly actions: AdminActions,
    private readonly wakeUp: WakeUp,
  ) {}

  @Get()
  @LeastRole('viewer', { allTenants: true })
  @NoQuery()
  @ApiOperation({
    operationId: 'getOutbox',
    summary: 'Show the number of open entries, the age of the oldest, and the FAILED entries.',
    description: 'The outbox belongs to all tenants. An operator who is bound to tenants may not read it.',
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
  @LeastRole('operator', { allTenants: true })
  @HttpCode(202)
  @ApiOperation({
    operationId: 'retryOutboxEntries',
    summary: 'Return FAILED entries to PENDING, so that the publisher tries them again.',
    description: 'The outbox belongs to all tenants. An operator who is bound to tenants may not change it.',
  })
  @ApiBody({ type: OutboxRetryRequest, required: false, examples: { all: { value: {} } } })
  @ApiAction(OutboxRetryResponse)
  async retry(
    @Body() { ids }: OutboxRetryRequest,
    @ActionRequest() { acting, idempotencyKey: key }: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OutboxRetryResponse> {
    const done = await this.actions.run({
      action: 'outbox.retry',
      filter: ids ? { ids } : {},
      acting,
      idempotency: { key, asked: { ids } },
      work: async (db, id) => {
        const requeued = await requeueFailed(db, { ...(ids ? { ids } : {}), limit: MOST_REQUEUED });
        await recordActionOnEvents(db, id, requeued);
        const matched = ids ? new Set(ids).size : requeued.length;
        const counts = { matched, requeued: requeued.length, skipped: matched - requeued.length };
        return { counts, result: undefined };
      },
    });
    this.wakeUp.signal();
    markRepeated(reply, done.repeated);
    const { matched = 0, requeued = 0, skipped = 0 } = done.counts;
    return { accepted: true, actionId: done.id, matched, requeued, skipped, correlationId: done.correlationId };
  }
}
