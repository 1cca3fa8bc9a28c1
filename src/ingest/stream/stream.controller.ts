import { Controller, Post, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IngestGuard } from '../../access/tenant.guard';
import { Problem } from '../../event/problems';
import { streamBodyOf } from '../event-body';
import { ApiIngestStream } from '../event-docs';
import { contextOrRefusal } from '../ingest-context';
import { RefusedRequest } from '../rejected/refused-request';
import { STREAM_BODY } from '../request-bodies';
import { StreamEndpoint } from './stream-endpoint';

@ApiTags('events')
@Controller('v1/ingest/stream')
export class StreamController {
  constructor(
    private readonly streams: StreamEndpoint,
    private readonly refused: RefusedRequest,
  ) {}

  @Post()
  @UseGuards(IngestGuard)
  @RouteConfig(STREAM_BODY)
  @ApiIngestStream()
  async ingest(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const context = contextOrRefusal(request);
    if (context instanceof Problem) throw await this.refused.problem(context, request, 'stream');
    await this.streams.handle(request, reply, context, streamBodyOf(request, 'stream'));
  }
}
