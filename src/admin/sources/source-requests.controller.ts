import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { Pool } from 'pg';
import { Acting, type ActingOperator } from '../../access/acting-operator';
import { LeastRole } from '../../access/least-role';
import { ApiProblems } from '../../http/docs/api-problem';
import { KEPT_SAMPLES, RequestSamples } from '../../sources/inspector/request-samples';
import { listSamples } from '../../sources/inspector/samples.queries';
import { AdminEndpoint } from '../endpoint/admin-endpoint';
import { NoQuery } from '../endpoint/no-input';
import { Sources } from './sources';
import { SourcePath } from './sources.requests';
import { SourceRequestsResponse } from './sources.responses';

/** What came to a source lately. It shows bodies, so it needs the role that may see payloads. */
@AdminEndpoint()
@Controller('v1/admin/sources')
export class SourceRequestsController {
  constructor(
    private readonly pool: Pool,
    private readonly sources: Sources,
    private readonly samples: RequestSamples,
  ) {}

  @Get(':id/requests')
  @LeastRole('support')
  @NoQuery()
  @ApiOperation({
    operationId: 'listSourceRequests',
    summary: 'List the last requests of a source, and why each was accepted or refused.',
    description:
      'Requests that other api processes received less than a second ago may be missing. After a crash of PostgreSQL the ' +
      'list is empty.',
  })
  @ApiOkResponse({ type: SourceRequestsResponse })
  @ApiProblems('source-not-found')
  async list(@Param() { id }: SourcePath, @Acting() acting: ActingOperator): Promise<SourceRequestsResponse> {
    const { tenantId } = await this.sources.find(id, acting);
    await this.samples.write();
    return { tenantId, requests: await listSamples(this.pool, id, KEPT_SAMPLES), nextCursor: null };
  }
}
