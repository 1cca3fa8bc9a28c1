import { Controller, Get, Inject, Options, Post, Put, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExcludeEndpoint, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { plainAddress } from '../access/identity/networks';
import { largestSourceBody } from '../config/largest-source-body';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import type { Decode } from '../ingest/decoding/decode-body';
import { Decoders } from '../ingest/decoding/decoders';
import { readTraceparent } from '../http/correlation';
import { readSourceBody, SOURCE_BODY } from './body/read-source-body';
import { PublicUrl } from './request/public-url';
import { ReceivedRequest } from './request/received-request';
import { ApiSourceRequest } from './source-docs';
import { sentTarget } from './request/sent-target';
import { SourceEndpoint } from './source-endpoint';
import { timeOfDay } from '../event/time-of-day';

const PATHS = [':token', ':token/*'];
const ROUTE = { ...SOURCE_BODY, ofSource: true };

/** The URLs of sources. source-gate.ts has found the source before a request comes here. */
@ApiTags('sources')
@Controller('in')
export class SourcesController {
  private readonly limits: { maxBytes: number; stallMs: number };

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Settings,
    private readonly url: PublicUrl,
    private readonly endpoint: SourceEndpoint,
    private readonly decoders: Decoders,
  ) {
    const { MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS: stallMs } = settings;
    this.limits = { maxBytes: largestSourceBody(MAX_EVENT_BYTES), stallMs };
  }

  @Post(':token')
  @RouteConfig(ROUTE)
  @ApiSourceRequest()
  post(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive(request, reply);
  }

  @Post(':token/*')
  @RouteConfig(ROUTE)
  @ApiExcludeEndpoint()
  postBelow(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive(request, reply);
  }

  @Put(PATHS)
  @RouteConfig(ROUTE)
  @ApiExcludeEndpoint()
  put(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive(request, reply);
  }

  @Get(PATHS)
  @RouteConfig(ROUTE)
  @ApiExcludeEndpoint()
  async get(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    if (request.method !== 'HEAD') return this.receive(request, reply);
    reply.status(200).send(); // Intercom and Trello check a URL this way
  }

  @Options(PATHS)
  @RouteConfig(ROUTE)
  @ApiExcludeEndpoint()
  options(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.receive(request, reply);
  }

  private receive(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const owner = request.source?.row.tenantId ?? '';
    const decoder = (encoding?: string): Decode | undefined =>
      this.decoders.decoder(encoding, owner, this.limits.maxBytes);
    const body = readSourceBody(request.body, request.headers, { ...this.limits, decoder });
    return body instanceof Promise
      ? body.then((decoded) => this.handle(request, decoded, reply))
      : this.handle(request, body, reply);
  }

  private handle(request: FastifyRequest, body: Buffer, reply: FastifyReply): Promise<void> {
    const { source, headers, method, ip } = request;
    if (!source) throw new Error('the gate of sources has not run');
    const { path, query } = sentTarget(request.url);
    const { token } = request.params as { token: string };
    const received = new ReceivedRequest(
      {
        method,
        path,
        url: `${this.url.ofSource(token)}${path}${query}`,
        query: request.query as Record<string, string | string[]>,
        headers,
        body,
        address: plainAddress(ip),
        receivedAt: timeOfDay(),
      },
      source.jsonField,
    );
    const context = {
      tenantId: source.row.tenantId,
      correlationId: request.id,
      traceparent: readTraceparent({ headers }),
      idempotencyKey: undefined,
    };
    return this.endpoint.handle(source, received, context, reply);
  }
}
