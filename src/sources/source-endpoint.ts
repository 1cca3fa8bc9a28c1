import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { RequestContext } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { CurrentRules } from '../ingest/store/current-rules';
import { answerFor } from './intake/answer-request';
import type { SourceAnswer } from './directory/answers';
import { examineRequest, type Examination } from './intake/examine-request';
import { HandshakeAnswers } from './handshakes/handshake-answers';
import { RequestReport, type OpenReport } from './inspector/request-report';
import { rulesOf, type LiveSource } from './directory/live-source';
import { sourceUnavailable } from './directory/source-unavailable';
import type { ReceivedRequest } from './request/received-request';
import { StoreRequest } from './intake/store-request';

/**
 * Handles a request to the URL of a source: verify → handshake → prepare → store → answer. The answer follows the policy
 * of the source, and what is true is stored before it is sent.
 */
@Injectable()
export class SourceEndpoint {
  constructor(
    private readonly contentRules: CurrentRules,
    private readonly handshakes: HandshakeAnswers,
    private readonly store: StoreRequest,
    private readonly report: RequestReport,
  ) {}

  /** @throws Problem of a signature, of a limit, or of storage. All others are answers. */
  async handle(
    source: LiveSource,
    received: ReceivedRequest,
    context: RequestContext,
    reply: FastifyReply,
  ): Promise<void> {
    const rules = rulesOf(source);
    const done = this.report.begin(source, rules, received, context.correlationId);
    try {
      const content = this.contentRules.current();
      const { measured } = done;
      const examining = examineRequest(received, { source, rules, request: context, content, measured });
      const examined = examining instanceof Promise ? await examining : examining;
      if (examined.kind !== 'prepared') return send(reply, await this.answer(examined, done));
      received.forget();
      const { prepared, verdict } = examined;
      const results = await this.store.store(source, received, prepared, context, reply);
      const answer = answerFor(results, prepared.isBatch, rules.answers, context.correlationId);
      done.stored(results, verdict, answer.status);
      send(reply, answer);
    } catch (error) {
      done.failed(error);
      throw error;
    }
  }

  /** The answer to a request that has no events. */
  private async answer(examined: Exclude<Examination, { kind: 'prepared' }>, done: OpenReport): Promise<SentAnswer> {
    if (examined.kind === 'handshake') return done.handshake(await this.handshakes.carryOut(examined.plan));
    if (examined.kind === 'no-secret') {
      throw sourceUnavailable('The source has no secret yet, so no request can be verified.');
    }
    done.unverified(examined.verdict);
    throw new Problem(examined.verdict.code, examined.verdict.reason);
  }
}

type SentAnswer = SourceAnswer & { headers?: Readonly<Record<string, string>> };

function send(reply: FastifyReply, { status, headers, contentType, body = '' }: SentAnswer): void {
  reply.status(status);
  if (headers) reply.headers(headers);
  if (contentType !== undefined) reply.type(contentType);
  reply.send(body);
}
