import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { RequestContext } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { CurrentRules } from '../ingest/store/current-rules';
import { answerFor } from './answer-request';
import type { SourceAnswer } from './answers';
import { examineRequest } from './examine-request';
import { HandshakeAnswers } from './handshakes/handshake-answers';
import { RequestReport, type OpenReport } from './inspector/request-report';
import { rulesOf, type LiveSource, type SourceRules } from './live-source';
import { sourceUnavailable } from './source-unavailable';
import type { ReceivedRequest } from './received-request';
import { StoreRequest } from './store-request';

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
      const answer = await this.answer(source, rules, received, context, reply, done);
      reply.status(answer.status);
      for (const [name, value] of Object.entries(answer.headers ?? {})) reply.header(name, value);
      if (answer.contentType !== undefined) reply.type(answer.contentType);
      reply.send(answer.body ?? '');
    } catch (error) {
      done.failed(error);
      throw error;
    }
  }

  private async answer(
    source: LiveSource,
    rules: SourceRules,
    received: ReceivedRequest,
    context: RequestContext,
    reply: FastifyReply,
    done: OpenReport,
  ): Promise<SourceAnswer & { headers?: Readonly<Record<string, string>> }> {
    const content = this.contentRules.current();
    const examined = await examineRequest(received, { source, rules, request: context, content });
    if (examined.kind === 'handshake') return done.handshake(await this.handshakes.carryOut(examined.plan));
    if (examined.kind === 'no-secret') {
      throw sourceUnavailable('The source has no secret yet, so no request can be verified.');
    }
    if (examined.kind === 'unverified') {
      done.unverified(examined.verdict);
      throw new Problem(examined.verdict.code, examined.verdict.reason);
    }
    const { prepared, verdict } = examined;
    received.forget();
    const results = await this.store.store(source, received, prepared, context, reply);
    const answer = answerFor(results, prepared.isBatch, rules.answers, context.correlationId);
    done.stored(results, verdict, answer.status);
    return answer;
  }
}
