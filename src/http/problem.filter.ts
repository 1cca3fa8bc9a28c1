import { Catch, Logger, NotFoundException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { classifyPgError } from '../db/pg-errors';
import { Problem } from '../event/problems';
import type { KnownRoutes } from './known-routes';
import { toProblem } from './to-problem';

/** Everything that ends a request other than an answer leaves as RFC 9457 problem+json. No stack ever leaves. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly routes: KnownRoutes) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof NotFoundException) {
      // Only Nest's own "no such route" is one; our features refuse with a Problem.
      const { problem, allow } = this.routes.problemFor(request.method, request.url);
      if (allow) reply.header('Allow', allow);
      sendProblem(reply, request.id, problem);
      return;
    }
    sendProblem(reply, request.id, toProblem(error) ?? this.unexpected(error, request));
  }

  private unexpected(error: unknown, request: FastifyRequest): Problem {
    if (classifyPgError(error) === 'unavailable') {
      return new Problem('storage-unavailable', 'The database does not answer just now.', { retryAfterSeconds: 2 });
    }
    this.logger.error({
      msg: 'request failed',
      method: request.method,
      route: request.routeOptions?.url,
      correlationId: request.id,
      err: error,
    });
    return new Problem('internal-error', 'This is a fault of ours; the correlation id finds it in the logs.');
  }
}

export function sendProblem(reply: FastifyReply, correlationId: string, problem: Problem): void {
  if (reply.sent) return; // the answer was on its way when the error came
  const { retryAfterSeconds } = problem.extras;
  if (retryAfterSeconds !== undefined) reply.header('Retry-After', String(retryAfterSeconds));
  if (problem.code === 'request-timeout') reply.header('Connection', 'close'); // the body is still on its way
  reply
    .status(problem.status)
    .header('X-Correlation-Id', correlationId)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem.toBody(correlationId)));
}
