import type { IncomingMessage } from 'node:http';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { uuidV7 } from '../event/uuid-v7';

/** 1 to 128 visible ASCII characters. */
const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

/** The caller's correlation id if it is valid, else a new one. It becomes the request's id. */
export function correlationIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const sent = request.headers['x-correlation-id'];
  return typeof sent === 'string' && CORRELATION_ID.test(sent) ? sent : uuidV7();
}

/** Injects the correlation id into a parameter of a controller's method. */
export const CorrelationId = createParamDecorator(
  (_: unknown, context: ExecutionContext): string => context.switchToHttp().getRequest<FastifyRequest>().id,
);

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The W3C trace context of the caller, if it sent a valid one. */
export function readTraceparent(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const sent = request.headers.traceparent;
  return typeof sent === 'string' && TRACEPARENT.test(sent) ? sent : undefined;
}
