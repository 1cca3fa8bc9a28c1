import { Controller, Post, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IngestGuard } from '../../access/tenant.guard';
import { streamBodyOf } from '../event-body';
import { ApiIngestStream } from '../event-docs';
import { readIngestContext } from '../ingest-context';
import { STREAM_BODY } from '../request-bodies';
import { StreamEndpoint } from './stream-endpoint';

@ApiTags('events')
@Controller('v1/ingest/stream')
export class StreamController {
  constructor(private readonly streams: StreamEndpoint) {}

  @Post()
  @UseGuards(IngestGuard)
  @RouteConfig(STREAM_BODY)
  @ApiIngestStream()
  async ingest(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.streams.handle(request, reply, readIngestContext(request), streamBodyOf(request, 'stream'));
  }
}
