import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { correlationIdOf } from './correlation';
import type { KnownRoutes } from './known-routes';
import { sendProblem } from './problem.filter';
import { toProblem } from './to-problem';

/** Media types whose body is handed over as a stream, unread. */
const STREAMED = ['application/x-ndjson', 'application/ndjson', 'application/jsonl'];

/** How a route takes its body: parsed by default; `raw` as the bytes that came, since JSON.parse loses; or unread. */
export type BodyMode = 'parsed' | 'raw' | 'stream';

/** For @RouteConfig on routes that do not take a parsed body. */
export const RAW_BODY: { bodyMode: BodyMode } = { bodyMode: 'raw' };
export const STREAM_BODY: { bodyMode: BodyMode } = { bodyMode: 'stream' };

/** Fastify as every role uses it: ids, limits, body parsers and problem+json for what fails before Nest. */
export function createFastifyAdapter(settings: Settings, routes: KnownRoutes): FastifyAdapter {
  const adapter = new FastifyAdapter({
    genReqId: correlationIdOf,
    bodyLimit: settings.MAX_EVENT_BYTES,
    routerOptions: { maxParamLength: 512 },
    return503OnClosing: false, // requests that come in while we drain are still answered
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(reply, request.id, toProblem(error) ?? new Problem('route-not-found', 'There is no such endpoint.'));
    },
  });
  const server = adapter.getInstance<FastifyInstance>();
  routes.watch(server);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Correlation-Id', request.id);
    done();
  });
  addBodyParsers(server);
  return adapter;
}

function addBodyParsers(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (bodyModeOf(request) === 'raw') done(null, body);
    else parseJson(body as Buffer, done);
  });
  server.addContentTypeParser(STREAMED, (_request, payload, done) => done(null, payload));
  // Before a byte of the body is read: a coding that is not undone would be stored as if it were the event.
  server.addHook('preParsing', (request, _reply, _payload, done) => done(refusedBody(request)));
}

function refusedBody(request: FastifyRequest): Problem | null {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = request.headers;
  if (encoding !== 'identity') {
    return new Problem('unsupported-content-encoding', 'Send the body without a Content-Encoding.');
  }
  const isStream = STREAMED.some((name) => type.toLowerCase().startsWith(name));
  const hasBody = type !== '' && request.method !== 'GET';
  if (hasBody && isStream !== (bodyModeOf(request) === 'stream')) {
    return new Problem('unsupported-media-type', 'This endpoint does not take that Content-Type.');
  }
  return null;
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
