import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiBody, ApiOkResponse, ApiOperation, ApiParam } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { Pool } from 'pg';
import { Problem } from '../../event/problems';
import { parseUuid } from '../../event/uuid-v7';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { LeastRole } from '../../access/least-role';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody, NoQuery } from '../endpoint/no-input';
import { cursorAfter, pageBelow, PageQuery } from '../endpoint/paging';
import { readProgressOf } from './replay-progress';
import { findReplay, listReplays, type FoundReplay } from './replay.queries';
import { ReplayRequest } from './replays.requests';
import { ReplayResponse, ReplayProgressResponse, ReplaysPage, type ReplaySummary } from './replays.responses';
import { Replays } from './replays';

const REPLAY_ID = {
  name: 'replayId',
  format: 'uuid',
  description: 'The `replayId` that POST /v1/admin/replay returned',
};

@AdminEndpoint()
@Controller('v1/admin')
export class ReplaysController {
  constructor(
    private readonly pool: Pool,
    private readonly replays: Replays,
  ) {}

  @Post('replay')
  @LeastRole('operator')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'startReplay',
    summary: 'Replay stored events. With `dryRun`, only return a preview.',
    description:
      'Once a replay is recorded it is carried out and the response is 202. The filter is evaluated once, at the time of the request, and the newest `limit` events are replayed. Events that are in process, in the outbox, waiting for a retry or open in another replay are skipped and counted. A replay of up to 200 events is dispatched before the response; a larger one is dispatched by the publishers. With `destinationId`, the events are sent to this destination alone and no handler runs: `republish` opens its FAILED deliveries again, `reprocess` makes new deliveries. Events whose handlers are not done are then skipped as `handlers-not-done`. Events whose payload was erased are skipped as `erased`; if all events in `eventIds` are, the request is refused with `event-erased`.',
  })
  @ApiBody({
    type: ReplayRequest,
    examples: { count: { value: { tenantId: 'demo', status: 'COMPLETED', mode: 'reprocess', dryRun: true } } },
  })
  @ApiAction(ReplayResponse, 'event-erased')
  async start(
    @Body() request: ReplayRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReplayResponse> {
    const { repeated, ...started } = await this.replays.start(request, headers);
    markRepeated(reply, repeated);
    return { accepted: true, actionId: started.replayId, mode: request.mode, dryRun: request.dryRun, ...started };
  }

  @Get('replays')
  @LeastRole('viewer')
  @ApiOperation({
    operationId: 'listReplays',
    summary: 'List replays, newest first.',
    description: 'An operator who is bound to tenants sees the replays that were limited to these tenants.',
  })
  @ApiOkResponse({ type: ReplaysPage })
  async list(@Query() query: PageQuery, @Acting() { tenantIds }: ActingOperator): Promise<ReplaysPage> {
    const found = await listReplays(this.pool, pageBelow('replays', query), tenantIds);
    return { replays: found.map(summaryOf), nextCursor: cursorAfter('replays', found, query.limit) };
  }

  @Get('replays/:replayId')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'getReplay',
    summary: 'Show the progress of a replay as the number of events by outcome.',
  })
  @ApiParam(REPLAY_ID)
  @ApiOkResponse({ type: ReplayProgressResponse })
  @ApiProblems('replay-not-found')
  async show(@Param('replayId') replayId: string, @Acting() acting: ActingOperator): Promise<ReplayProgressResponse> {
    const id = parseUuid(replayId);
    const replay = id === undefined ? undefined : await findReplay(this.pool, id, acting.tenantIds);
    if (!replay) throw new Problem('replay-not-found', 'No replay has this id.');
    return { ...summaryOf(replay), ...(await readProgressOf(this.pool, replay.id)) };
  }

  @Post('replays/:replayId/cancel')
  @LeastRole('operator')
  @HttpCode(202)
  @NoBody()
  @ApiOperation({
    operationId: 'cancelReplay',
    summary: 'Cancel the pending events of a replay. Events already dispatched are still processed.',
  })
  @ApiParam(REPLAY_ID)
  @ApiAcceptedResponse({ type: ReplayProgressResponse })
  @ApiProblems('replay-not-found')
  async cancel(@Param('replayId') replayId: string, @Acting() acting: ActingOperator): Promise<ReplayProgressResponse> {
    const id = parseUuid(replayId);
    if (id !== undefined) await this.replays.cancel(id, acting);
    return this.show(replayId, acting);
  }
}

function summaryOf({ id, tenantIds: _tenantIds, ...rest }: FoundReplay): ReplaySummary {
  return { replayId: id, ...rest };
}
