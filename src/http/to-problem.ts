import { HttpException } from '@nestjs/common';
import { Problem, type ProblemCode } from '../event/problems';

/** Fastify's own refusals, by its error codes. */
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

/** Turns whatever ended a request into a problem of the catalogue; undefined for a fault of ours. */
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
