import type { IncomingMessage } from 'node:http';
import { uuidV7 } from '../event/uuid-v7';

const VISIBLE_ASCII = /^[\x21-\x7e]{1,128}$/;

/** The caller's correlation id if it is usable, else a new one. Becomes the request's id, and so part of every log line. */
export function correlationIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const sent = request.headers['x-correlation-id'];
  return typeof sent === 'string' && VISIBLE_ASCII.test(sent) ? sent : uuidV7();
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The W3C trace context of the caller, if it sent a valid one. */
export function readTraceparent(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  const sent = request.headers.traceparent;
  return typeof sent === 'string' && TRACEPARENT.test(sent) ? sent : undefined;
}
