import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { mediaTypeOf, refusedBody, STREAMED_TYPES, type BodyMode } from './body-modes';
import { answerClientError, CONNECTION_LIMITS, refusedHeaders } from './connection-limits';
import { correlationIdOf } from './correlation';
import type { KnownRoutes } from './known-routes';
import { endWhenStalled } from './request-body';
import { traceRequests } from './request-spans';
import { sendProblem, toProblem } from './problem.filter';

/** For the one place where a browser runs our pages: Swagger UI brings its scripts and has inline styles. */
const DOCS_HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy': 'no-referrer',
};

/** Fastify as every role uses it: ids, limits, body parsers and problem+json for what fails before Nest. */
export function createFastifyAdapter(settings: Settings, routes: KnownRoutes): FastifyAdapter {
  const adapter = new FastifyAdapter({
    ...CONNECTION_LIMITS,
    clientErrorHandler: answerClientError,
    genReqId: correlationIdOf,
    bodyLimit: settings.MAX_EVENT_BYTES,
    routerOptions: { maxParamLength: 512 },
    return503OnClosing: false, // requests that come in while we drain are still answered
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, request.id, toProblem(error) ?? new Problem('route-not-found', 'There is no such endpoint.'));
    },
  });
  const server = adapter.getInstance<FastifyInstance>();
  server.server.maxConnections = settings.MAX_CONNECTIONS;
  routes.watch(server);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Correlation-Id', request.id);
    reply.header('X-Content-Type-Options', 'nosniff');
    reply.header('Cache-Control', 'no-store'); // answers belong to one tenant and one moment
    if (request.url.startsWith('/docs')) reply.headers(DOCS_HEADERS);
    done(refusedHeaders(request.raw));
  });
  if (settings.OTEL_EXPORTER_OTLP_ENDPOINT) traceRequests(server);
  closeConnectionsWhileDraining(server);
  addBodyParsers(server, settings.REQUEST_STALL_TIMEOUT_MS);
  return adapter;
}

/** A kept connection would hold server.close() until the client lets go of it, so answers while draining end theirs. */
function closeConnectionsWhileDraining(server: FastifyInstance): void {
  let draining = false;
  server.addHook('preClose', (done) => {
    draining = true;
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) reply.header('Connection', 'close');
    done(null, payload);
  });
}

function addBodyParsers(server: FastifyInstance, stallMs: number): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (bodyModeOf(request) === 'parsed') parseJson(body as Buffer, done);
    else done(null, body);
  });
  server.addContentTypeParser(STREAMED_TYPES, (_request, payload, done) => done(null, payload));
  server.addHook('preParsing', (request, _reply, _payload, done) => {
    if (request.method === 'GET' || request.method === 'HEAD') return done();
    const refused = refusedBody(bodyModeOf(request), request.headers);
    if (refused) return done(refused);
    if (!STREAMED_TYPES.includes(mediaTypeOf(request.headers))) endWhenStalled(request.raw, stallMs);
    done();
  });
}

function bodyModeOf(request: FastifyRequest): BodyMode {
  return (request.routeOptions.config as { bodyMode?: BodyMode }).bodyMode ?? 'parsed';
}

function parseJson(body: Buffer, done: (error: Error | null, value?: unknown) => void): void {
  try {
    done(null, JSON.parse(body.toString('utf8')));
  } catch {
    done(new Problem('malformed-body', 'The body is not valid JSON.'));
  }
}
