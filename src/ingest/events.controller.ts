import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ENVELOPE_SCHEMA } from '../event/envelope-schema';
import { Problem } from '../event/problems';
import { AdminAccess } from '../http/admin-access';
import { CLOUD_EVENTS_BATCH_TYPE, EVENT_BODY, mediaTypeOf } from '../http/body-modes';
import { EventReader } from './event-reader';
import { readRequestContext, readTenant } from './request-context';
import { SingleAnswer } from './single-answer';
import { StreamAnswer } from './stream-answer';

@ApiTags('events')
@ApiHeader({ name: 'X-Tenant-Id', required: true, description: 'Whose events these are' })
@Controller('v1/events')
export class EventsController {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(SingleAnswer) private readonly single: SingleAnswer,
    @Inject(StreamAnswer) private readonly batches: StreamAnswer,
    @Inject(EventReader) private readonly reader: EventReader,
    @Inject(AdminAccess) private readonly access: AdminAccess,
  ) {}

  @Post()
  @RouteConfig(EVENT_BODY)
  @ApiOperation({ summary: 'Take one event, or a batch of CloudEvents. Answers after it is stored durably.' })
  @ApiHeader({ name: 'X-Idempotency-Key', required: false, description: '1 to 255 visible ASCII characters' })
  @ApiConsumes('application/json', 'application/cloudevents+json', 'application/cloudevents-batch+json')
  @ApiBody({ schema: ENVELOPE_SCHEMA as unknown as Record<string, never> })
  @ApiResponse({ status: 202, description: 'Accepted and stored' })
  @ApiResponse({ status: 200, description: 'A duplicate: the answer of the original' })
  @ApiResponse({ status: 409, description: 'The eventId belongs to an event with other content' })
  @ApiResponse({ status: 422, description: 'The idempotency key was used for other content' })
  @ApiResponse({ status: 429, description: 'The tenant has sent too many events' })
  async accept(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const context = readRequestContext(request.headers, request.id, this.settings);
    if (mediaTypeOf(request.headers) === CLOUD_EVENTS_BATCH_TYPE) await this.batches.answer(request, reply, context);
    else await this.single.answer(request, reply, context);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an event, where it stands, and every attempt to process it.' })
  @ApiParam({ name: 'id', description: 'The id that was answered, or the eventId of the producer' })
  @ApiResponse({ status: 200, description: 'The event with status and attempts' })
  @ApiResponse({ status: 404, description: 'There is no such event of this tenant' })
  async read(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { headers } = request;
    const byOperator = headers['x-tenant-id'] === undefined && headers['x-admin-token'] !== undefined;
    if (byOperator) await this.access.check(request, reply);
    const found = await this.reader.read(
      byOperator ? undefined : readTenant(headers, this.settings.TENANT_ALLOWLIST),
      id,
    );
    if (found === undefined) throw new Problem('event-not-found', 'There is no event with that id or eventId.');
    reply.type('application/json; charset=utf-8');
    return found;
  }
}
