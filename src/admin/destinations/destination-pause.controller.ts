import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { ApiProblems } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoBody } from '../endpoint/no-input';
import { DestinationView } from './destination-view';
import { DestinationPath } from './destinations.requests';
import { DestinationResponse } from './destinations.responses';
import { Destinations } from './destinations';

@AdminEndpoint()
@Controller('v1/admin/destinations')
export class DestinationPauseController {
  constructor(
    private readonly destinations: Destinations,
    private readonly view: DestinationView,
  ) {}

  @Post(':id/pause')
  @LeastRole('operator')
  @HttpCode(200)
  @NoBody()
  @ApiOperation({
    operationId: 'pauseDestination',
    summary: 'Pause a destination. Its deliveries are recorded and wait until it is resumed.',
    description: 'Requests that a worker is sending are not interrupted. A paused destination can be paused again.',
  })
  @ApiOkResponse({ type: DestinationResponse })
  @ApiProblems('destination-not-found')
  async pause(@Param() { id }: DestinationPath, @Acting() acting: ActingOperator): Promise<DestinationResponse> {
    return this.view.show(await this.destinations.pause(id, true, acting));
  }

  @Post(':id/resume')
  @LeastRole('operator')
  @HttpCode(200)
  @NoBody()
  @ApiOperation({
    operationId: 'resumeDestination',
    summary: 'Resume a paused destination. Deliveries that have become due are sent, oldest first.',
  })
  @ApiOkResponse({ type: DestinationResponse })
  @ApiProblems('destination-not-found')
  async resume(@Param() { id }: DestinationPath, @Acting() acting: ActingOperator): Promise<DestinationResponse> {
    return this.view.show(await this.destinations.pause(id, false, acting));
  }
}
