import { Controller, Get, Headers, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { ENVELOPE_SCHEMA } from '../event/envelope-schema';
import { prepareEvent, type PreparedEvent } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { hasAdminToken } from '../http/admin-token';
import { RAW_BODY } from '../http/fastify-server';
import { Metrics } from '../observability/metrics';
import { EventReader } from './event-reader';
import { Intake } from './intake';
import type { Outcome } from './outcome';
import { readRequestContext, readTenant } from './request-context';

@ApiTags('events')
@ApiHeader({ name: 'X-Tenant-Id', required: true, description: 'Whose events these are' })
@Controller('v1/events')
export class EventsController {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(Intake) private readonly intake: Intake,
    @Inject(EventReader) private readonly reader: EventReader,
    @Inject(Metrics) private readonly metrics: Metrics,
  ) {}

  @Post()
  @RouteConfig(RAW_BODY)
  @ApiOperation({ summary: 'Take one event. Answers after it is stored durably.' })
  @ApiHeader({ name: 'X-Idempotency-Key', required: false, description: '1 to 255 visible ASCII characters' })
  @ApiBody({ schema: ENVELOPE_SCHEMA as unknown as Record<string, never> })
  @ApiResponse({ status: 202, description: 'Accepted and stored' })
  @ApiResponse({ status: 200, description: 'A duplicate: the answer of the original' })
  @ApiResponse({ status: 409, description: 'The eventId belongs to an event with other content' })
  @ApiResponse({ status: 422, description: 'The idempotency key was used for other content' })
  async accept(
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Record<string, unknown>> {
    const endTimer = this.metrics.ingestDuration.startTimer();
    const context = readRequestContext(request.headers, request.id, this.settings);
    const made = prepareEvent(rawBody(request), context, this.settings);
    const outcome: Outcome =
      'rejection' in made ? { kind: 'rejected', rejection: made.rejection } : await this.intake.accept(made.prepared);
    this.metrics.ingestTotal.inc({ source: 'single', status: outcome.kind });
    endTimer();
    if ('rejection' in made) throw asProblem(outcome);
    return this.answer(made.prepared, outcome, reply);
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an event, where it stands, and every attempt to process it.' })
  @ApiParam({ name: 'id', description: 'The id that was answered, or the eventId of the producer' })
  @ApiResponse({ status: 200, description: 'The event with status and attempts' })
  @ApiResponse({ status: 404, description: 'There is no such event of this tenant' })
  async read(
    @Param('id') id: string,
    @Headers() headers: IncomingHttpHeaders,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    const { ADMIN_TOKEN, TENANT_ALLOWLIST } = this.settings;
    const ofAnyTenant = headers['x-tenant-id'] === undefined && hasAdminToken(headers, ADMIN_TOKEN);
    const found = await this.reader.read(ofAnyTenant ? undefined : readTenant(headers, TENANT_ALLOWLIST), id);
    if (found === undefined) throw new Problem('event-not-found', 'There is no event with that id or eventId.');
    reply.type('application/json; charset=utf-8');
    return found;
  }

  private answer({ event }: PreparedEvent, outcome: Outcome, reply: FastifyReply): Record<string, unknown> {
    if (outcome.kind === 'rejected') throw asProblem(outcome);
    const duplicate = outcome.kind === 'duplicate';
    const { id, eventId, receivedAt, correlationId, hash } = duplicate ? outcome.of : outcome.committed;
    reply.status(duplicate ? 200 : 202).header('Location', `/v1/events/${id}`);
    if (duplicate) reply.header('Idempotent-Replayed', 'true');
    const { tenantId, type, subject, partitionKey } = event; // the same content, so the same in the original
    return {
      status: outcome.kind,
      duplicate,
      id,
      eventId,
      tenantId,
      type,
      subject,
      partitionKey,
      hash,
      correlationId,
      receivedAt,
    };
  }
}

function rawBody({ body }: FastifyRequest): Buffer {
  if (Buffer.isBuffer(body)) return body;
  throw new Problem('malformed-body', 'The body is empty.');
}

function asProblem(outcome: Outcome): Problem {
  if (outcome.kind !== 'rejected') throw new Error('only a rejection is a problem');
  const { code, message, errors } = outcome.rejection;
  return new Problem(code, message.trim(), errors.length > 0 ? { errors } : {});
}
