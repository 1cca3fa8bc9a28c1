import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiConsumes, ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { STREAM_BODY } from '../http/body-modes';
import { readRequestContext } from './request-context';
import { StreamAnswer } from './stream-answer';

@ApiTags('events')
@ApiHeader({ name: 'X-Tenant-Id', required: true, description: 'Whose events these are' })
@Controller('v1/ingest/stream')
export class StreamController {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(StreamAnswer) private readonly answer: StreamAnswer,
  ) {}

  @Post()
  @RouteConfig(STREAM_BODY)
  @ApiOperation({ summary: 'Take a stream of events, NDJSON or XML. Each record has its own outcome.' })
  @ApiHeader({ name: 'X-Idempotency-Key', required: false, description: 'Record n gets the key `<key>#<n>`' })
  @ApiHeader({ name: 'Content-Encoding', required: false, description: 'gzip, deflate, br or zstd' })
  @ApiHeader({ name: 'Accept', required: false, description: '`application/x-ndjson`: one line per record, at once' })
  @ApiConsumes('application/x-ndjson', 'application/xml')
  @ApiBody({ schema: { type: 'string' } })
  @ApiResponse({ status: 202, description: 'Every record is accepted or a duplicate' })
  @ApiResponse({ status: 207, description: 'Some records were rejected; `errors` names them' })
  @ApiResponse({ status: 422, description: 'Every record was rejected' })
  @ApiResponse({
    status: 429,
    description: 'The tenant has sent too many events; `lastCommittedRecord` says how far it got',
  })
  async ingest(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer.answer(request, reply, readRequestContext(request.headers, request.id, this.settings));
  }
}
