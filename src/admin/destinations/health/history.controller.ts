import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../../access/acting-operator';
import { LeastRole } from '../../../access/least-role';
import { ApiProblems } from '../../../http/docs/api-problem';
import { AdminEndpoint } from '../../endpoint/admin-endpoint';
import { NoQuery } from '../../endpoint/no-input';
import { Destinations } from '../destinations';
import { DestinationPath } from '../destinations.requests';
import { listMinutes } from './destination-health.queries';
import { DestinationHistoryResponse } from './history.responses';
import { quantileMs } from './quantile';

@AdminEndpoint()
@Controller('v1/admin/destinations')
export class DestinationHistoryController {
  constructor(
    private readonly destinations: Destinations,
    private readonly pool: Pool,
  ) {}

  @Get(':id/history')
  @LeastRole('viewer')
  @NoQuery()
  @ApiOperation({
    operationId: 'getDestinationHistory',
    summary: 'Show the attempts of a destination in the last hour, minute by minute: how many, and how long they took.',
  })
  @ApiOkResponse({ type: DestinationHistoryResponse })
  @ApiProblems('destination-not-found')
  async read(@Param() { id }: DestinationPath, @Acting() acting: ActingOperator): Promise<DestinationHistoryResponse> {
    await this.destinations.find(id, acting);
    const minutes = await listMinutes(this.pool, id);
    return {
      minutes: minutes.map(({ latencyMs, ...minute }) => ({
        ...minute,
        p50Ms: quantileMs(latencyMs, 0.5),
        p95Ms: quantileMs(latencyMs, 0.95),
      })),
    };
  }
}
