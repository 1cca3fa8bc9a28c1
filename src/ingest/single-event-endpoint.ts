import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { prepareBinary, prepareStructured } from '../event/cloud-event/prepare-cloud-event';
import { prepareEvent, type PreparedEvent, type PrepareResult, type RequestContext } from '../event/prepare-event';
import { refusesAll } from '../http/accept';
import { JSON_TYPE } from '../http/route-body';
import { allowanceHeaders } from '../access/limits/allowance';
import type { Reservation } from '../access/limits/meter';
import { Metrics } from '../observability/metrics';
import { formatOfEvent, RejectedEvent } from './rejected/rejected-event';
import { CurrentRules } from './store/current-rules';
import { Intake } from './store/intake';
import type { IngestResult } from './store/store-batch';
import { TenantLimiter } from '../access/limits/tenant-limiter';

const NO_BODY = Buffer.alloc(0);
const EMPTY_BODY: PrepareResult = { rejection: { code: 'malformed-body', message: 'The body is empty.', errors: [] } };

/** Handles a request with one event. Responds 202 for a new event, 200 for a duplicate, otherwise with a problem. */
@Injectable()
export class SingleEventEndpoint {
  constructor(
    private readonly rules: CurrentRules,
    private readonly intake: Intake,
    private readonly limiter: TenantLimiter,
    private readonly metrics: Metrics,
    private readonly rejected: RejectedEvent,
  ) {}

  async handle(request: FastifyRequest, reply: FastifyReply, context: RequestContext): Promise<void> {
    refuseUnlessJson(request.headers.accept);
    const endTimer = this.metrics.ingestDuration.startTimer();
    const body = Buffer.isBuffer(request.body) ? request.body : NO_BODY;
    const reservation = await this.limiter.reserveSingle(context.tenantId, body.length);
    reply.headers(allowanceHeaders(this.limiter.allowance(context.tenantId)));
    if (reservation.points === 0) throw this.limiter.problem(context.tenantId, reservation.measure);

    const preparation = this.prepare(request, body, context);
    if ('rejection' in preparation) {
      this.metrics.ingestTotal.inc({ source: 'single', status: 'rejected' });
      throw await this.rejected.problem(preparation.rejection, request, { bytes: body }, context);
    }
    const { prepared } = preparation;
    const result = await this.intake.accept(prepared).catch((error: unknown) => {
      this.metrics.ingestTotal.inc({ source: 'single', status: 'failed' });
      this.giveBack(reservation, reply);
      throw error;
    });
    if (result.kind === 'duplicate') this.giveBack(reservation, reply);
    this.metrics.ingestTotal.inc({ source: 'single', status: result.kind });
    endTimer();
    if (result.kind === 'rejected') {
      const refused = { bytes: body, eventType: prepared.event.type };
      throw await this.rejected.problem(result.rejection, request, refused, context);
    }
    send(reply, prepared, result);
  }

  /** The event costs nothing: it is a duplicate, or its result is not known. */
  private giveBack(reservation: Reservation, reply: FastifyReply): void {
    this.limiter.giveBack(reservation, 1);
    reply.headers(allowanceHeaders(this.limiter.allowance(reservation.tenantId)));
  }

  private prepare(request: FastifyRequest, bytes: Buffer, context: RequestContext): PrepareResult {
    const format = formatOfEvent(request);
    const rules = this.rules.current();
    if (format === 'cloudevent-binary') return prepareBinary(request.headers, bytes, context, rules);
    if (bytes.length === 0) return EMPTY_BODY;
    return (format === 'cloudevent' ? prepareStructured : prepareEvent)(bytes, context, rules);
  }
}

function send(
  reply: FastifyReply,
  { event }: PreparedEvent,
  result: Exclude<IngestResult, { kind: 'rejected' }>,
): void {
  const duplicate = result.kind === 'duplicate';
  const { id, eventId, receivedAt, correlationId, hash } = duplicate ? result.of : result.committed;
  const { tenantId, type, subject, partitionKey } = event; // equal in the original, whose content is the same
  const facts = { id, eventId, tenantId, type, subject, partitionKey, hash, correlationId, receivedAt };
  reply.status(duplicate ? 200 : 202).header('Location', `/v1/events/${id}`);
  if (duplicate) reply.header('Idempotent-Replayed', 'true');
  reply.send({ status: result.kind, duplicate, ...facts });
}

/** The route also sends NDJSON, but not for one event. A cheap test first: hardly any client refuses JSON. */
function refuseUnlessJson(accept: string | undefined): void {
  const problem = accept?.includes('q=0') ? refusesAll(accept, [JSON_TYPE]) : undefined;
  if (problem) throw problem;
}
