import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { LeastRole } from '../../access/least-role';
import { countOpenDeliveries, readDueDestinations } from '../../delivery-state/queue-outlook.queries';
import { BACKLOG_CAP, readOutboxFigures, readRetryFigures } from '../../event-state/figures.queries';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { BacklogResponse } from './backlog.responses';
import { overdueSeconds } from './overdue';

@AdminEndpoint()
@Controller('v1/admin/backlog')
export class BacklogController {
  constructor(private readonly pool: Pool) {}

  @Get()
  @LeastRole('viewer', { allTenants: true })
  @NoQuery()
  @ApiOperation({
    operationId: 'getBacklog',
    summary: 'Show how much waits in each stage, and for how long the oldest is due.',
    description:
      'What a broker holds is not counted here. The backlog belongs to all tenants. An operator who is bound to tenants may not read it.',
  })
  @ApiOkResponse({ type: BacklogResponse })
  async read(): Promise<BacklogResponse> {
    const [outbox, retries, deliveries, due] = await Promise.all([
      readOutboxFigures(this.pool),
      readRetryFigures(this.pool),
      countOpenDeliveries(this.pool),
      readDueDestinations(this.pool),
    ]);
    const open = [...deliveries.values()].reduce((sum, count) => sum + count, 0);
    const entries = Math.min(outbox.pending + outbox.inFlight, BACKLOG_CAP);
    return {
      stages: [
        { stage: 'publish', waiting: entries, oldestDueSeconds: outbox.oldestOpenSeconds },
        { stage: 'retry', ...retries },
        { stage: 'deliver', waiting: open, oldestDueSeconds: overdueSeconds(due) },
      ],
      countedUpTo: BACKLOG_CAP,
    };
  }
}
