import { Readable } from 'node:stream';
import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { STREAM_BODY } from '../http/fastify-server';
import { readRequestContext } from './request-context';
import { StreamIngest } from './stream-ingest';

const STATUS_CODES = { accepted: 202, partial: 207, rejected: 422 } as const;

@ApiTags('events')
@ApiHeader({ name: 'X-Tenant-Id', required: true, description: 'Whose events these are' })
@Controller('v1/ingest/stream')
export class StreamController {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(StreamIngest) private readonly streams: StreamIngest,
  ) {}

  @Post()
  @RouteConfig(STREAM_BODY)
  @ApiOperation({ summary: 'Take a stream of events, one JSON object per line. Each record has its own outcome.' })
  @ApiHeader({ name: 'X-Idempotency-Key', required: false, description: 'Record n gets the key `<key>#<n>`' })
  @ApiConsumes('application/x-ndjson')
  @ApiBody({ schema: { type: 'string' } })
  @ApiResponse({ status: 202, description: 'Every record is accepted or a duplicate' })
  @ApiResponse({ status: 207, description: 'Some records were rejected; `errors` names them' })
  @ApiResponse({ status: 422, description: 'Every record was rejected' })
  async ingest(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Record<string, unknown>> {
    const context = readRequestContext(request.headers, request.id, this.settings);
    if (!(request.body instanceof Readable)) {
      throw new Problem('unsupported-media-type', 'Send application/x-ndjson here.'); // no Content-Type, no body
    }
    try {
      const { summary, bytes } = await this.streams.ingest(request.body, context);
      const body = summary.toBody(bytes, request.id);
      reply.status(STATUS_CODES[summary.status]);
      if (summary.status !== 'rejected') return body;
      // One shape for all three, which here is a problem too: `status` stays the word that the other two have.
      reply.type('application/problem+json; charset=utf-8');
      return { ...new Problem('stream-rejected', 'No record of the stream was stored.').toBody(request.id), ...body };
    } catch (error) {
      reply.header('Connection', 'close'); // the rest of the body is not read, so the connection cannot be used again
      throw error;
    }
  }
}
