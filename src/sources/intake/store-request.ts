import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { allowanceHeaders } from '../../access/limits/allowance';
import type { Reservation } from '../../access/limits/meter';
import { TenantLimiter } from '../../access/limits/tenant-limiter';
import type { PreparedEvent, RecordRejection, RequestContext } from '../../event/prepare-event';
import { shortText } from '../../event/short-error';
import { uuidV7 } from '../../event/uuid-v7';
import { Intake } from '../../ingest/store/intake';
import type { IngestResult } from '../../ingest/store/store-batch';
import { Metrics } from '../../observability/metrics';
import type { NewRejection } from '../../rejections/rejection';
import { RejectionStore } from '../../rejections/rejection-store';
import type { RecordResult } from './answer-request';
import type { LiveSource } from '../directory/live-source';
import type { PreparedRequest, RecordOfRequest } from './prepare-request';
import type { ReceivedRequest } from '../request/received-request';

/** Stores the records of a request as events or as rejections. Both are committed before it returns. */
@Injectable()
export class StoreRequest {
  constructor(
    private readonly intake: Intake,
    private readonly limiter: TenantLimiter,
    private readonly rejections: RejectionStore,
    private readonly metrics: Metrics,
  ) {}

  /** @throws Problem `tenant-rate-limited`, or that of storage. Sending the request again is then safe. */
  async store(
    source: LiveSource,
    received: ReceivedRequest,
    prepared: PreparedRequest,
    context: RequestContext,
    reply: FastifyReply,
  ): Promise<RecordResult[]> {
    const { tenantId } = source.row;
    const { records } = prepared;
    const reservation = await this.limiter.reserveRequest(tenantId, records.length, received.facts.body.length);
    reply.headers(allowanceHeaders(this.limiter.allowance(tenantId)));
    if (reservation.points === 0 && records.length > 0) throw this.limiter.problem(tenantId, reservation.measure);
    const outcomes = await this.storeEvents(records, reservation);
    const kept: NewRejection[] = [];
    const results = outcomes.map((outcome): RecordResult => {
      if ('kind' in outcome) return outcome;
      const rejection = newRejection(outcome, { source, received, prepared, context }, kept.length === 0);
      kept.push(rejection);
      const { id: rejectionId, code, message, pointer } = rejection;
      return { record: outcome.record, kind: 'rejected', rejectionId, code, message, pointer };
    });
    if (kept.length > 0) {
      await this.rejections.keep(kept);
      this.metrics.rejectionsTotal.inc({ endpoint: 'source', kept: 'true' }, kept.length);
    }
    return results;
  }

  private async storeEvents(
    records: readonly RecordOfRequest[],
    reservation: Reservation,
  ): Promise<(RecordResult | RefusedRecord)[]> {
    const events: PreparedEvent[] = [];
    for (const { made } of records) if ('prepared' in made) events.push(made.prepared);
    const stored = await this.accept(events, (error: unknown) => {
      this.metrics.ingestTotal.inc({ source: 'source', status: 'failed' }, events.length);
      this.limiter.giveBack(reservation, reservation.points);
      throw error;
    });
    let next = 0;
    let free = 0;
    const nextStored = (): IngestResult => stored[next++] as IngestResult;
    const results = records.map((record) => {
      const result = resultOf(record, nextStored);
      const status = 'kind' in result ? result.kind : 'rejected';
      if (status === 'duplicate' || status === 'filtered') free += 1;
      this.metrics.ingestTotal.inc({ source: 'source', status });
      return result;
    });
    this.limiter.giveBack(reservation, Math.min(free, reservation.points));
    return results;
  }

  private accept(events: readonly PreparedEvent[], onFailure: (error: unknown) => never): Promise<IngestResult[]> {
    const [only] = events;
    if (events.length === 1 && only) return this.intake.accept(only).then((result) => [result], onFailure);
    return this.intake.acceptTogether(events).catch(onFailure);
  }
}

interface RefusedRecord {
  record: RecordOfRequest;
  rejection: RecordRejection;
}

function resultOf(record: RecordOfRequest, nextStored: () => IngestResult): RecordResult | RefusedRecord {
  const { made } = record;
  if ('rejection' in made) return { record, rejection: made.rejection };
  if ('filteredOut' in made) return { record, kind: 'filtered' };
  const result = nextStored();
  if (result.kind === 'rejected') return { record, rejection: result.rejection };
  const { id, eventId } = result.kind === 'accepted' ? result.committed : result.of;
  return { record, kind: result.kind, id, eventId };
}

interface OfRequest {
  source: LiveSource;
  received: ReceivedRequest;
  prepared: PreparedRequest;
  context: RequestContext;
}

function newRejection(
  { record, rejection }: RefusedRecord,
  { source, received, prepared, context }: OfRequest,
  isFirst: boolean,
): NewRejection {
  const { code, message, errors, conflictsWith } = rejection;
  const body = record.bytes();
  return {
    id: uuidV7(),
    tenantId: source.row.tenantId,
    sourceId: source.row.id,
    endpoint: 'source',
    format: 'source',
    code,
    pointer: errors[0] ? shortText(errors[0].pointer) : null,
    message: shortText(message.trim()),
    eventType: null,
    recordNumber: record.number ?? null,
    requestKey: record.idempotencyKey ?? null,
    conflictsWith: conflictsWith ?? null,
    correlationId: context.correlationId,
    receivedAt: received.facts.receivedAt.toISOString(),
    contentType: received.header('content-type') ?? null,
    sizeBytes: body.length,
    requestJson: isFirst ? prepared.requestJson : null,
    body,
  };
}
