import { Controller, Inject, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiHeader, ApiOperation, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { ApiProblems } from '../../http/api-problem';
import { STREAM_BODY } from '../../http/body-modes';
import { STREAM_ANSWER_SCHEMA, STREAM_REQUEST } from '../event-docs';
import { readRequestContext } from '../../access/request-context';
import { StreamEndpoint } from './stream-endpoint';

@ApiTags('events')
@Controller('v1/ingest/stream')
export class StreamController {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    private readonly answer: StreamEndpoint,
  ) {}

  @Post()
  @RouteConfig(STREAM_BODY)
  @ApiSecurity('tenant')
  @ApiOperation({
    summary: 'Take a stream of events, NDJSON or XML. Each record has its own outcome.',
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
  async ingest(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    await this.answer.answer(request, reply, readRequestContext(request.headers, request.id, this.settings));
  }
}
