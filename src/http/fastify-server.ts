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

/** Set on routes that take the bytes of a JSON body as they came: events must not pass through JSON.parse and back. */
export const RAW_BODY = { rawBody: true };

/** Fastify as every role uses it: ids, limits, body parsers and problem+json for what fails before Nest. */
export function createFastifyAdapter(settings: Settings, routes: KnownRoutes): FastifyAdapter {
  const adapter = new FastifyAdapter({
    genReqId: correlationIdOf,
    bodyLimit: settings.MAX_EVENT_BYTES,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512 },
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
    if (isRawBody(request)) done(null, body);
    else parseJson(body as Buffer, done);
  });
  server.addContentTypeParser(STREAMED, (_request, payload, done) => done(null, payload));
}

function isRawBody(request: FastifyRequest): boolean {
  return (request.routeOptions.config as { rawBody?: boolean }).rawBody === true;
}

function parseJson(body: Buffer, done: (error: Error | null, value?: unknown) => void): void {
  try {
    done(null, JSON.parse(body.toString('utf8')));
  } catch {
    done(new Problem('malformed-body', 'The body is not valid JSON.'));
  }
}
