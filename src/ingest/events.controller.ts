import { Controller, Get, Inject, Param, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IngestGuard, ReadGuard, Reading, type Reader } from '../access/tenant.guard';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { Decoders } from './decoding/decoders';
import { readEventBody } from './event-body';
import { ApiGetEvent, ApiIngestEvent } from './event-docs';
import { EventReader } from './event-reader';
import { contextOrRefusal } from './ingest-context';
import { BrokenBody } from './rejected/broken-body';
import { OversizedBody } from './rejected/oversized-body';
import { RefusedRequest } from './rejected/refused-request';
import { EVENT_BODY } from './request-bodies';
import { SingleEventEndpoint } from './single-event-endpoint';
import { StreamEndpoint } from './stream/stream-endpoint';

@ApiTags('events')
@Controller('v1/events')
export class EventsController {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly single: SingleEventEndpoint,
    private readonly batches: StreamEndpoint,
    private readonly reader: EventReader,
    private readonly refused: RefusedRequest,
    private readonly decoders: Decoders,
  ) {}

  @Post()
  @UseGuards(IngestGuard)
  @RouteConfig(EVENT_BODY)
  @ApiIngestEvent()
  async accept(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const context = contextOrRefusal(request);
    if (context instanceof Problem) throw await this.refused.problem(context, request, 'event');
    const events = Buffer.isBuffer(request.body)
      ? undefined
      : await readEventBody(request, this.settings, this.decoders);
    if (!events) return this.single.handle(request, reply, context);
    if (events instanceof BrokenBody) throw await this.refused.broken(events, reply, context);
    if (events instanceof OversizedBody) throw await this.refused.oversized(events, request, reply, context);
    try {
      await this.batches.handle(request, reply, context, events);
    } finally {
      if (events.body !== request.body) events.body.destroy(); // releases the memory of its decoder
    }
  }

  @Get(':id')
  @UseGuards(ReadGuard)
  @ApiGetEvent()
  async read(
    @Reading() reader: Reader,
    @Param('id') id: string,
    @Query('source') source: string | string[] | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    if (Array.isArray(source)) throw new Problem('invalid-request', 'Send the query parameter `source` only once.');
    const found = await this.reader.read({ reader, idOrEventId: id, source });
    if (found === undefined) throw new Problem('event-not-found', 'There is no event with that id or eventId.');
    reply.type('application/json; charset=utf-8');
    return found;
  }
}
