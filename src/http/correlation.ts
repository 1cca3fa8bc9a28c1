import type { IncomingMessage } from 'node:http';
import { isTraceparent } from '../event/traceparent';
import { uuidV7 } from '../event/uuid-v7';

/** 1 to 128 visible ASCII characters. */
const CORRELATION_ID = /^[\x21-\x7e]{1,128}$/;

/** Returns the caller's X-Correlation-Id if it is valid, otherwise a new UUIDv7. It becomes the request's id. */
export function correlationIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const sent = request.headers['x-correlation-id'];
  return typeof sent === 'string' && CORRELATION_ID.test(sent) ? sent : uuidV7();
}

/** Returns the caller's W3C trace context, if it sent a valid one. */
export function readTraceparent(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const sent = request.headers.traceparent;
  return typeof sent === 'string' && isTraceparent(sent) ? sent : undefined;
}
