import {
  Catch,
  HttpException,
  Logger,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { storageProblem } from '../db/outages';
import { Problem, type ProblemCode } from '../event/problems';
import { hasLongRest, thenDiscard } from './discard-body';
import type { KnownRoutes } from './known-routes';

/** Problems for Fastify's own errors, by error code. */
const FASTIFY_PROBLEMS: Record<string, [ProblemCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['event-too-large', 'The body is larger than MAX_EVENT_BYTES.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'The Content-Type is not a valid media type.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-body', 'The length of the body differs from its Content-Length.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-body', 'The body is empty.'],
  FST_ERR_BAD_URL: ['route-not-found', 'The path is not a valid URL path.'],
  FST_ERR_ASYNC_CONSTRAINT: ['route-not-found', 'There is no endpoint at this path.'],
};

const BY_STATUS: Record<number, ProblemCode> = {
  400: 'invalid-request',
  403: 'route-not-found', // of a static file: that it exists is nobody's business
  404: 'route-not-found',
  405: 'method-not-allowed',
  406: 'not-acceptable',
  408: 'request-timeout',
  413: 'event-too-large',
  415: 'unsupported-media-type',
  503: 'overloaded',
};

/** Turns every error into an RFC 9457 problem+json response. Never sends a stack trace. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');

  constructor(private readonly routes: KnownRoutes) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof NotFoundException) {
      // Thrown by Nest when no route matches. The features throw a Problem instead.
      sendProblem(reply, request.id, this.routes.problemFor(request.method, request.url));
      return;
    }
    sendProblem(reply, request.id, toProblem(error) ?? this.unexpected(error, request));
  }

  private unexpected(error: unknown, request: FastifyRequest): Problem {
    const unavailable = storageProblem(error, 'The database is unavailable. Try again later.');
    if (unavailable) return unavailable;
    this.logger.error({
      msg: 'request failed',
      method: request.method,
      route: request.routeOptions?.url,
      correlationId: request.id,
      err: error,
    });
    return new Problem('internal-error', 'An unexpected error occurred. It is logged with the correlation id.');
  }
}

export function sendProblem(reply: FastifyReply, correlationId: string, problem: Problem): void {
  if (reply.sent || reply.raw.headersSent) return; // the error came after the response was sent, or in the middle of it
  const { retryAfterSeconds, headers } = problem.extras;
  if (headers) reply.headers(headers);
  if (retryAfterSeconds !== undefined) reply.header('Retry-After', String(retryAfterSeconds));
  const body = JSON.stringify(problem.toBody(correlationId));
  reply
    .status(problem.status)
    .header('X-Correlation-Id', correlationId)
    .type('application/problem+json; charset=utf-8');
  const request = reply.request.raw;
  const isStalled = problem.code === 'request-timeout';
  const hasRest = hasLongRest(request);
  if (isStalled || hasRest) reply.header('Connection', 'close');
  if (isStalled || !hasRest) reply.send(body);
  else reply.header('Content-Length', Buffer.byteLength(body)).send(thenDiscard(body, request));
}

/** Returns the problem for an error that ended a request, or undefined for an internal error. */
export function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const fromFastify = FASTIFY_PROBLEMS[code];
  if (fromFastify) return new Problem(...fromFastify);
  const status = statusOf(error);
  if (status === undefined) return undefined;
  const known = BY_STATUS[status];
  if (known) return new Problem(known, error instanceof Error ? error.message : 'The request was rejected.');
  // A refusal without a code of its own is a client error, so it is not reported as an error of this process.
  return status >= 400 && status < 500 ? new Problem('invalid-request', 'The request was rejected.') : undefined;
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : undefined;
}
