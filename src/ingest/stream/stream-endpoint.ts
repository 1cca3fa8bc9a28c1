import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { Problem } from '../../event/problems';
import type { RequestContext } from '../../event/prepare-event';
import { allowanceHeaders } from '../../access/allowance';
import { mediaTypeOf, NDJSON_TYPES } from '../../http/body-modes';
import type { IngestResult } from '../store/store-batch';
import { streamFormat } from '../formats/stream-formats';
import { StreamIngest, type StreamRequest } from './stream-ingest';
import { StreamSummary } from './stream-summary';
import { TenantLimiter } from '../../access/tenant-limiter';
import { ResultLines } from './result-lines';

const STATUS_CODES = { accepted: 202, partial: 207, rejected: 422 } as const;

/** Answers a request that carries many events: with one summary at its end, or line by line while it is still coming. */
@Injectable()
export class StreamEndpoint {
  constructor(
    private readonly streams: StreamIngest,
    private readonly limiter: TenantLimiter,
  ) {}

  /** @throws Problem when the stream broke off, with the summary of what was committed. */
  async answer(request: FastifyRequest, reply: FastifyReply, context: RequestContext): Promise<void> {
    const format = streamFormat(mediaTypeOf(request.headers));
    if (!format) throw new Problem('unsupported-media-type', 'This is not a stream.');
    const encoding = request.headers['content-encoding'];
    const stream = { body: request.body as Readable, context, format, encoding };
    const accepts = (request.headers.accept ?? '').toLowerCase();
    if (NDJSON_TYPES.some((type) => accepts.includes(type))) await this.lineByLine(stream, request, reply);
    else await this.atTheEnd(stream, request, reply);
  }

  private async atTheEnd(
    stream: Omit<StreamRequest, 'onResult'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const summary = new StreamSummary();
    const { bytes, problem } = await this.streams.ingest({
      ...stream,
      onResult: (n, result) => summary.add(n, result),
    });
    reply.headers(allowanceHeaders(this.limiter.allowance(stream.context.tenantId)));
    if (problem) {
      reply.header('Connection', 'close'); // the rest of the body is not read, so the connection cannot be used again
      throw brokenOff(problem, summary, bytes);
    }
    const body = summary.toBody(bytes, request.id);
    reply.status(STATUS_CODES[summary.status]);
    if (summary.status !== 'rejected') return void reply.send(body);
    // One shape for all three, which here is a problem too: `status` stays the word that the other two have.
    const code = new Problem('stream-rejected', 'No record of the stream was stored.');
    reply.type('application/problem+json; charset=utf-8').send(JSON.stringify({ ...code.toBody(request.id), ...body }));
  }

  private async lineByLine(
    stream: Omit<StreamRequest, 'onResult'>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    const summary = new StreamSummary();
    const lines = new ResultLines();
    // The allowance as it is before the first record: headers cannot wait for the last.
    reply.headers(allowanceHeaders(this.limiter.allowance(stream.context.tenantId)));
    reply.status(200).type('application/x-ndjson; charset=utf-8').send(lines);
    const onResult = (record: number, result: IngestResult): void => {
      summary.add(record, result);
      lines.line(resultLine(record, result));
    };
    try {
      const { bytes, problem } = await this.streams.ingest({ ...stream, onResult });
      const counts = { summary: summary.counts(bytes) };
      // The status was sent long ago; a stream that broke off says so in its last line. The rest of its body is not read.
      if (problem) reply.raw.once('finish', () => request.raw.socket.destroySoon());
      lines.line(problem ? brokenOff(problem, summary, bytes).toBody(stream.context.correlationId) : counts);
      lines.end();
    } catch (error) {
      lines.destroy(); // the answer breaks off, so that the client does not take it for complete
      throw error;
    }
  }
}

function brokenOff(problem: Problem, summary: StreamSummary, bytes: number): Problem {
  const members = { summary: summary.counts(bytes), lastCommittedRecord: summary.lastCommittedRecord };
  return new Problem(problem.code, problem.detail, { ...problem.extras, members });
}

function resultLine(record: number, result: IngestResult): Record<string, unknown> {
  if (result.kind === 'rejected') {
    const { code, message, errors } = result.rejection;
    const pointer = errors[0]?.pointer;
    return { record, status: 'rejected', code, message, ...(pointer === undefined ? {} : { pointer }) };
  }
  const { id, eventId } = result.kind === 'accepted' ? result.committed : result.of;
  return { record, status: result.kind, id, eventId };
}
