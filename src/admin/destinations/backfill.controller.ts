import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { LeastRole } from '../../access/least-role';
import { ApiProblems } from '../../http/docs/api-problem';
import { ApiAction } from '../endpoint/action-docs';
import { ActionRequest, markRepeated, type ActionHeaders } from '../endpoint/action-request';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { BackfillResponse } from '../replays/replays.responses';
import { BackfillRequest } from './backfill.requests';
import { Backfills } from './backfills';
import { DestinationPath } from './destinations.requests';
import { Destinations } from './destinations';

@AdminEndpoint()
@Controller('v1/admin/destinations')
export class BackfillController {
  constructor(
    private readonly destinations: Destinations,
    private readonly backfills: Backfills,
  ) {}

  @Post(':id/backfill')
  @LeastRole('operator')
  @HttpCode(202)
  @ApiOperation({
    operationId: 'startBackfill',
    summary: 'Deliver stored events to one destination, oldest first.',
    description:
      "Selects events by time, by type and by the destination's types and filter. Each gets a delivery of a new generation; no handler runs and no other destination is called. Events whose newest delivery to this destination is open or DELIVERED are skipped, and so are events whose handlers have not succeeded. Publishers carry the backfill out. Follow and cancel it like a replay.",
  })
  @ApiBody({
    type: BackfillRequest,
    examples: {
      count: { value: { from: '2026-11-01T00:00:00Z', to: '2026-11-24T00:00:00Z', type: 'order.*', dryRun: true } },
    },
  })
  @ApiAction(BackfillResponse)
  @ApiProblems('destination-not-found', 'destination-disabled')
  async start(
    @Param() { id }: DestinationPath,
    @Body() request: BackfillRequest,
    @ActionRequest() headers: ActionHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<BackfillResponse> {
    const destination = await this.destinations.find(id, headers.acting);
    const { repeated, ...started } = await this.backfills.start(destination, request, headers);
    markRepeated(reply, repeated);
    const { dryRun } = request;
    return { accepted: true, actionId: started.replayId, mode: 'backfill', dryRun, ...started };
  }
}
