import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../../event/problems';
import type { RequestContext } from '../../event/prepare-event';
import { preferredType } from '../../http/accept';
import { JSON_TYPE } from '../../http/route-body';
import { discardBody } from '../../http/discard-body';
import { isKeptCode } from '../../rejections/kept-codes';
import { allowanceHeaders } from '../../access/limits/allowance';
import { BufferBudget } from '../../runtime/buffer-budget';
import { MEMORY_BYTES, ResultLines } from '../results/result-lines';
import { Spill } from '../results/spill';
import type { IngestResult } from '../store/store-batch';
import type { EventsBody } from '../event-body';
import { STREAM_ANSWERS } from '../formats/stream-formats';
import type { PacedStream } from './paced-stream';
import { StreamIngest, type StreamRequest } from './stream-ingest';
import { StreamPacer } from './stream-pacer';
import { StreamSummary } from './stream-summary';
import { TenantLimiter } from '../../access/limits/tenant-limiter';
import { TenantAccess } from '../../access/tenant-access';

const STATUS_CODES = { accepted: 202, partial: 207, rejected: 422 } as const;

/**
 * Handles a request with many events. Responds with a summary at the end, or with a line per record as it is stored.
 */
@Injectable()
export class StreamEndpoint implements BeforeApplicationShutdown {
  /** The responses that are sent line by line: at most one for each open stream. */
  private readonly open = new Set<ResultLines>();

  constructor(
    private readonly streams: StreamIngest,
    private readonly limiter: TenantLimiter,
    private readonly pacer: StreamPacer,
    private readonly access: TenantAccess,
    private readonly spill: Spill,
    private readonly buffers: BufferBudget,
  ) {}

  /** I15: a stream that waits for its reader would keep the process running. It ends with its summary. */
  beforeApplicationShutdown(): void {
    const why = 'This process is shutting down and cannot wait until the results are read.';
    for (const lines of this.open) lines.refuseToWait(new Problem('overloaded', why, { retryAfterSeconds: 5 }));
  }

  /** @throws Problem when the stream breaks off; it contains the summary of what was committed */
  async handle(
    request: FastifyRequest,
    reply: FastifyReply,
    context: RequestContext,
    events: EventsBody,
  ): Promise<void> {
    const pace = this.admit(request, context, reply);
    try {
      const stream = { ...events, context, pace };
      if (preferredType(request.headers.accept, STREAM_ANSWERS) === JSON_TYPE) await this.sendSummary(stream, reply);
      else await this.sendLines(stream, reply);
    } finally {
      pace.close();
    }
  }

  /** @throws Problem `too-many-streams` */
  private admit({ caller, ip }: FastifyRequest, context: RequestContext, reply: FastifyReply): PacedStream {
    if (!caller || caller.kind === 'operator') throw new Error('no guard has admitted a tenant');
    const { tenantId, correlationId } = context;
    try {
      const refusal = (): Promise<Problem | undefined> => this.access.refusalOf(caller, ip);
      const pace = this.pacer.admit({ tenantId, correlationId, refusal });
      const hasGone = (): Problem => new Problem('malformed-body', 'The client has disconnected.');
      reply.raw.once('close', () => pace.stopWaiting(hasGone));
      return pace;
    } catch (error) {
      reply.headers(allowanceHeaders(this.limiter.allowance(tenantId)));
      throw error;
    }
  }

  private async sendSummary(stream: Omit<StreamRequest, 'onResult'>, reply: FastifyReply): Promise<void> {
    const { tenantId, correlationId } = stream.context;
    const summary = new StreamSummary();
    const { bytes, problem, error } = await this.streams.ingest({
      ...stream,
      onResult: (record, result, isKept) => summary.add(record, result, isKept),
    });
    if (error !== undefined) throw error;
    reply.headers(allowanceHeaders(this.limiter.allowance(tenantId)));
    if (problem) throw brokenOff(problem, summary, bytes);
    const body = summary.toBody(bytes, correlationId);
    reply.status(STATUS_CODES[summary.status]);
    if (summary.status !== 'rejected') return void reply.send(body);
    // A problem with the members of a summary. Its `status` is that of the summary, as in the other two responses.
    const rejected = new Problem('stream-rejected', 'No record was accepted. See `errors`.').toBody(correlationId);
    reply.type('application/problem+json; charset=utf-8').send(JSON.stringify({ ...rejected, ...body }));
  }

  /**
   * Unread lines stay in memory after the end of the stream, so they count by themselves.
   * @throws Problem `overloaded`
   */
  private linesFor(tenantId: string): ResultLines {
    const hold = this.buffers.open(tenantId);
    if (!hold.grow(MEMORY_BYTES)) {
      const why =
        'Too many results of streams are unread. Read the results while you send, or send the stream again later.';
      throw new Problem('overloaded', why, { retryAfterSeconds: 5 });
    }
    return new ResultLines(() => this.spill.open(tenantId)).once('close', () => hold.release());
  }

  private async sendLines(stream: Omit<StreamRequest, 'onResult'>, reply: FastifyReply): Promise<void> {
    const { tenantId, correlationId } = stream.context;
    const summary = new StreamSummary();
    const lines = this.linesFor(tenantId);
    this.open.add(lines);
    // The allowance before the first record, since headers are sent before the records are counted.
    reply.headers(allowanceHeaders(this.limiter.allowance(tenantId)));
    reply.status(200).type('application/x-ndjson; charset=utf-8').send(lines);
    const onResult: StreamRequest['onResult'] = (record, result, isKept) => {
      summary.add(record, result, isKept);
      lines.line(resultLine(record, result, isKept));
    };
    try {
      const roomForResults = (): Promise<void> => lines.room();
      const { bytes, problem, error } = await this.streams.ingest({ ...stream, onResult, roomForResults });
      // The status is already sent, so the last line reports that the stream broke off.
      if (problem) discardThenClose(reply);
      lines.end((lost) => {
        const why = problem ?? lost;
        return why ? brokenOff(why, summary, bytes).toBody(correlationId) : { summary: summary.counts(bytes) };
      });
      if (error !== undefined) throw error; // to be logged; the response has its last line
    } finally {
      this.open.delete(lines);
    }
  }
}

/**
 * Discards the rest of the body, and closes the connection once the response is sent. Discards at once: a client that
 * reads nothing before it has sent everything would otherwise wait for ever, and the response with it.
 */
function discardThenClose(reply: FastifyReply): void {
  const request = reply.request.raw;
  const { socket } = request;
  const close = socket.destroySoon.bind(socket);
  // Node itself closes a connection with `Connection: close` as soon as the response is sent, and does not wait for the
  // body. What the client has not read of its results would be lost.
  socket.destroySoon = () => undefined;
  const discarded = discardBody(request);
  reply.raw.once('finish', () => void discarded.then(close));
}

function brokenOff(problem: Problem, summary: StreamSummary, bytes: number): Problem {
  const members = {
    summary: summary.counts(bytes),
    lastCommittedRecord: summary.lastCommittedRecord,
    kept: isKeptCode(problem.code) ? false : undefined, // the record at which it broke off, and the rest
  };
  return new Problem(problem.code, problem.detail, { ...problem.extras, members });
}

function resultLine(record: number, result: IngestResult, isKept: boolean): Record<string, unknown> {
  if (result.kind === 'rejected') {
    const { code, message, errors } = result.rejection;
    return { record, status: 'rejected', code, message, pointer: errors[0]?.pointer, kept: isKept ? undefined : false };
  }
  const { id, eventId } = result.kind === 'accepted' ? result.committed : result.of;
  return { record, status: result.kind, id, eventId };
}
