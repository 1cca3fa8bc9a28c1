import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { RequestContext } from '../event/prepare-event';
import { Problem } from '../event/problems';
import { CurrentRules } from '../ingest/store/current-rules';
import { answerFor } from './answer-request';
import type { SourceAnswer } from './answers';
import { HandshakeAnswers } from './handshakes/handshake-answers';
import { RequestReport, type OpenReport } from './inspector/request-report';
import type { LiveSource, SourceRules } from './live-source';
import { prepareRequest } from './prepare-request';
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
    const mayBeHandshake = rules.handshakes.length > 0;
    const open = mayBeHandshake ? await this.handshakes.answer(received, rules, false) : undefined;
    if (open) return done.handshake(open);
    if (!rules.canVerify) throw unavailable('The source has no secret yet, so no request can be verified.');
    const verdict = await rules.verify(received);
    if (!verdict.verified) {
      done.unverified(verdict);
      throw new Problem(verdict.code, verdict.reason);
    }
    const signed = mayBeHandshake ? await this.handshakes.answer(received, rules, true) : undefined;
    if (signed) return done.handshake(signed);
    const prepared = await prepareRequest(received, {
      source,
      rules,
      verdict,
      request: context,
      content: this.contentRules.current(),
    });
    const results = await this.store.store(source, received, prepared, context, reply);
    const answer = answerFor(results, prepared.isBatch, rules.answers, context.correlationId);
    done.stored(results, verdict, answer.status);
    return answer;
  }
}

function rulesOf(source: LiveSource): SourceRules {
  try {
    return source.rules();
  } catch (error) {
    const problem = unavailable(
      'The rules or the secret of the source cannot be used. An operator has to change them.',
    );
    problem.cause = error;
    throw problem;
  }
}

const RETRY_AFTER_SECONDS = 60;

function unavailable(detail: string): Problem {
  return new Problem('source-unavailable', `${detail} Send the request again later.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
