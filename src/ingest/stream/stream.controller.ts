import { Controller, Post, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiOperation, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TenantGuard } from '../../access/tenant.guard';
import type { RequestContext } from '../../event/prepare-event';
import { ApiProblems } from '../../http/api-problem';
import { STREAM_ANSWER_SCHEMA } from '../event-docs';
import { IngestContext } from '../ingest-context';
import { STREAM_BODY, STREAM_FORMAT_NAMES, STREAM_REQUEST } from '../request-bodies';
import { StreamEndpoint } from './stream-endpoint';

@ApiTags('events')
@Controller('v1/ingest/stream')
export class StreamController {
  constructor(private readonly streams: StreamEndpoint) {}

  @Post()
  @UseGuards(TenantGuard)
  @RouteConfig(STREAM_BODY)
  @ApiSecurity('tenant')
  @ApiOperation({
    summary: `Take a stream of events, ${STREAM_FORMAT_NAMES}. Each record has its own outcome.`,
    description: 'With `Accept: application/x-ndjson` the answer is one line per record, as soon as it is stored.',
    requestBody: STREAM_REQUEST,
  })
  @ApiHeader({ name: 'X-Idempotency-Key', required: false, description: 'Record n gets the key `<key>#<n>`' })
  @ApiHeader({ name: 'Content-Encoding', required: false, description: 'gzip, deflate, br or zstd' })
  @ApiResponse({
    status: 200,
    description: 'For `Accept: application/x-ndjson`: one line per record, and a summary as the last',
    content: { 'application/x-ndjson': { schema: { type: 'string' } } },
  })
  @ApiResponse({
    status: 202,
    description: 'Every record is accepted or a duplicate',
    schema: STREAM_ANSWER_SCHEMA,
  })
  @ApiResponse({
    status: 207,
    description: 'Some records were rejected; `errors` names them',
    schema: STREAM_ANSWER_SCHEMA,
  })
  @ApiProblems(
    'malformed-body',
    'tenant-required',
    'tenant-invalid',
    'idempotency-key-invalid',
    'tenant-not-allowed',
    'not-acceptable',
    'request-timeout',
    'stream-too-large',
    'unsupported-media-type',
    'unsupported-content-encoding',
    'stream-rejected',
    'tenant-rate-limited',
    'overloaded',
    'storage-unavailable',
  )
  async ingest(
    @IngestContext() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.streams.handle(request, reply, context);
  }
}
