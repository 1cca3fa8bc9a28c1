import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionError } from 'fastify';
import { Problem } from '../event/problems';
import { uuidV7 } from '../event/uuid-v7';

/**
 * Limits on the resources that a slow or hostile client can hold. A whole request has no deadline, because a stream may
 * last for hours. Its headers have one, and REQUEST_STALL_TIMEOUT_MS ends a body that stalls. Times are in ms.
 */
export const CONNECTION_LIMITS = {
  http: {
    requireHostHeader: false, // refusedHeaders checks it, since Node's own response is not problem+json
    maxHeaderSize: 16_384,
    headersTimeout: 15_000,
    /** How often Node checks for overdue headers. Its default is 30 s. */
    connectionsCheckingInterval: 2_000,
  },
};

/** Node silently keeps the first of these when repeated. A proxy may have used the second, so repeats are rejected. */
const SENT_ONCE = ['host', 'content-type', 'authorization'];
const LENGTHS_SENT_ONCE = new Set(SENT_ONCE.map((name) => name.length));

/** A host name or an address, and a port (RFC 9110, section 7.2). Names are not resolved, so that only their form counts. */
const HOST = /^(?:[\w.~%-]*|\[[\da-f:.]+(?:%[\w.~-]+)?\])(?::\d{0,5})?$/i;

/** Returns why the headers of a request are rejected. Other repeated headers are rejected where they are read. */
export function refusedHeaders(
  request: Pick<IncomingMessage, 'rawHeaders' | 'headers' | 'httpVersion'>,
): Problem | undefined {
  const { host, 'transfer-encoding': coding } = request.headers;
  if (host !== undefined && !HOST.test(host)) {
    return new Problem('invalid-request', 'The header host is not a host name or an address, with a port or without.');
  }
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') {
    return new Problem(
      'invalid-request',
      'The only Transfer-Encoding that is supported is chunked. Use Content-Encoding to compress a body.',
    );
  }
  let seen = '';
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const raw = request.rawHeaders[i] as string;
    if (!LENGTHS_SENT_ONCE.has(raw.length)) continue; // a cheap test first: this runs for every request
    const name = raw.toLowerCase();
    if (!SENT_ONCE.includes(name)) continue;
    if (seen.includes(`${name};`)) return new Problem('invalid-request', `The header ${name} was sent more than once.`);
    seen += `${name};`;
  }
  return request.httpVersion === '1.1' && !seen.includes('host;')
    ? new Problem('invalid-request', 'HTTP/1.1 requires a Host header.')
    : undefined;
}

/** Limits on the input that is read and discarded after such a response. */
const MAX_BROKEN_BYTES = 67_108_864;
const BROKEN_INPUT_MS = 2_000;

/** Responds to input that Node cannot parse or stopped waiting for. There is no request yet, so no filter runs. */
export function refuseBrokenRequest(error: ConnectionError, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writableEnded) {
    // Refused already. Node parses further input all the same, so each chunk of it leads here.
    if (socket.bytesRead > MAX_BROKEN_BYTES) socket.destroy();
    return;
  }
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse };
  const isMidResponse = !socket.writable || response?.headersSent === true;
  if (isMidResponse || error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    if (!isMidResponse) socket.write(rawResponse(problemOf(error)));
    socket.destroy();
    return;
  }
  // Closing a connection with unread input resets it, and the client would lose the response.
  socket.end(rawResponse(problemOf(error)));
  const deadline = setTimeout(() => socket.destroy(), BROKEN_INPUT_MS);
  socket.once('close', () => clearTimeout(deadline));
}

function problemOf(error: ConnectionError): Problem {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return new Problem(
      'headers-too-large',
      `The headers are larger than ${CONNECTION_LIMITS.http.maxHeaderSize} bytes.`,
    );
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return new Problem(
      'request-timeout',
      `The headers did not arrive within ${CONNECTION_LIMITS.http.headersTimeout} ms.`,
    );
  }
  return new Problem('invalid-request', 'The request is not valid HTTP/1.1.');
}

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function rawResponse(problem: Problem): string {
  const correlationId = uuidV7();
  const body = JSON.stringify(problem.toBody(correlationId));
  return [
    `HTTP/1.1 ${problem.status} ${REASONS[problem.status] ?? 'Error'}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Correlation-Id: ${correlationId}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
