import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { Problem } from '../../event/problems';
import { ApiId } from '../../http/docs/api-fields';
import { ApiProblems } from '../../http/docs/api-problem';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { IsUuid } from '../endpoint/rules';
import { Timeline } from './timeline';
import { TimelineResponse } from './timeline.responses';

class TimelinePath {
  @ApiId()
  @IsUuid()
  id!: string;
}

@AdminEndpoint()
@Controller('v1/admin/events')
export class TimelineController {
  constructor(private readonly timeline: Timeline) {}

  @Get(':id/timeline')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'getTimeline',
    summary: 'Show what happened to an event, oldest first, each entry with a sentence.',
    description:
      'Attempts of handlers and deliveries, dead letters, replays and actions of operators. The entries have no payloads.',
  })
  @ApiOkResponse({ type: TimelineResponse })
  @ApiProblems('event-not-found')
  async read(@Param() { id }: TimelinePath, @Acting() acting: ActingOperator): Promise<TimelineResponse> {
    const found = await this.timeline.read(id, acting);
    if (!found) throw new Problem('event-not-found', 'No event has this id.');
    return found;
  }
}
