import {
  Catch,
  HttpException,
  Logger,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { classifyPgError } from '../db/pg-errors';
import { Problem, type ProblemCode } from '../event/problems';
import type { KnownRoutes } from './known-routes';

/** By the codes of Fastify's own errors. */
const FASTIFY_PROBLEMS: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['event-too-large', 'The body is larger than an event may be.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'This endpoint does not take that Content-Type.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-body', 'The body is not as long as its Content-Length says.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-body', 'The body is empty.'],
  FST_ERR_BAD_URL: ['route-not-found', 'The path is not a valid URL path.'],
  FST_ERR_ASYNC_CONSTRAINT: ['route-not-found', 'There is no such endpoint.'],
};

const BY_STATUS: Record<number, ProblemCode> = {
  400: 'invalid-request',
  404: 'route-not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  408: 'request-timeout',
  413: 'event-too-large',
  415: 'unsupported-media-type',
  503: 'overloaded',
};

/** Every request that fails gets an RFC 9457 problem+json response. No stack trace is ever sent. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly routes: KnownRoutes) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof NotFoundException) {
      // Only Nest itself throws it, when no route matches; our features throw a Problem.
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
  if (reply.sent) return; // the error came after the response was sent
  const { retryAfterSeconds } = problem.extras;
  if (retryAfterSeconds !== undefined) reply.header('Retry-After', String(retryAfterSeconds));
  if (problem.code === 'request-timeout') reply.header('Connection', 'close'); // the rest of the body may still arrive
  reply
    .status(problem.status)
    .header('X-Correlation-Id', correlationId)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem.toBody(correlationId)));
}

/** The problem of the catalogue for an error that ended a request; undefined for an internal error. */
export function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fromFastify = FASTIFY_PROBLEMS[code];
  if (fromFastify) return new Problem(...fromFastify);
  const status = statusOf(error);
  const known = status === undefined ? undefined : BY_STATUS[status];
  return known && new Problem(known, error instanceof Error ? error.message : 'The request was refused.');
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
