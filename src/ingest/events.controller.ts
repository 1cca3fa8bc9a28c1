import { Controller, Get, Param, Post, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TenantGuard, TenantId, TenantOrAdminGuard } from '../access/tenant.guard';
import type { RequestContext } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { ApiProblems } from '../http/api-problem';
import { ACCEPTED_SCHEMA, EVENT_SCHEMA, STREAM_ANSWER_SCHEMA } from './event-docs';
import { EventReader } from './event-reader';
import { streamFormat } from './formats/stream-formats';
import { IngestContext } from './ingest-context';
import { EVENT_BODY, EVENT_REQUEST } from './request-bodies';
import { SingleEventEndpoint } from './single-event-endpoint';
import { StreamEndpoint } from './stream/stream-endpoint';

@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(
    private readonly single: SingleEventEndpoint,
    private readonly batches: StreamEndpoint,
    private readonly reader: EventReader,
  ) {}

  @Post()
  @UseGuards(TenantGuard)
  @RouteConfig(EVENT_BODY)
  @ApiSecurity('tenant')
  @ApiOperation({
    summary: 'Take one event, or a batch of CloudEvents. Answers after it is stored durably.',
    requestBody: EVENT_REQUEST,
  })
  @ApiHeader({ name: 'X-Idempotency-Key', required: false, description: '1 to 255 visible ASCII characters' })
  @ApiResponse({ status: 202, description: 'Accepted and stored', schema: ACCEPTED_SCHEMA })
  @ApiResponse({ status: 200, description: 'A duplicate: the answer of the original', schema: ACCEPTED_SCHEMA })
  @ApiResponse({
    status: 207,
    description: 'Of a batch: some records were rejected; `errors` names them',
    schema: STREAM_ANSWER_SCHEMA,
  })
  @ApiProblems(
    'malformed-body',
    'invalid-event',
    'unsupported-character',
    'tenant-required',
    'tenant-invalid',
    'idempotency-key-invalid',
    'tenant-not-allowed',
    'not-acceptable',
    'request-timeout',
    'event-id-conflict',
    'event-too-large',
    'unsupported-media-type',
    'unsupported-content-encoding',
    'idempotency-key-reused',
    'stream-rejected',
    'tenant-rate-limited',
    'overloaded',
    'storage-unavailable',
  )
  async accept(
    @IngestContext() context: RequestContext,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (streamFormat(request.mediaType)) await this.batches.handle(request, reply, context);
    else await this.single.handle(request, reply, context);
  }

  @Get(':id')
  @UseGuards(TenantOrAdminGuard)
  @ApiSecurity('tenant')
  @ApiSecurity('admin-token')
  @ApiOperation({
    summary: 'Read an event, where it stands, and every attempt to process it.',
    description: 'With X-Tenant-Id, an event of that tenant; without it, X-Admin-Token reads any event by its id.',
  })
  @ApiParam({ name: 'id', description: 'The id that was answered, or the eventId of the producer', type: String })
  @ApiResponse({ status: 200, description: 'The event with status and attempts', schema: EVENT_SCHEMA })
  @ApiProblems(
    'tenant-required',
    'tenant-invalid',
    'admin-token-invalid',
    'tenant-not-allowed',
    'event-not-found',
    'admin-rate-limited',
    'storage-unavailable',
  )
  async read(
    @TenantId() tenantId: string | undefined,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const found = await this.reader.read(tenantId, id);
    if (found === undefined) throw new Problem('event-not-found', 'There is no event with that id or eventId.');
    reply.type('application/json; charset=utf-8');
    return found;
  }
}
