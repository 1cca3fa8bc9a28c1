import { createServer, type RequestListener, type Server } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings';
import { childPointer, scanJsonObject } from '../event/json/json-text';
import { parseJson as parseText } from '../event/json/parse-json';
import { Problem } from '../event/problems';
import { refusesAll } from './accept';
import { hostCheck } from './allowed-hosts';
import { refuseBrokenRequest, CONNECTION_LIMITS, refusedHeaders } from './connection-limits';
import { LastResponses } from './connections/last-responses';
import { boundPipelining } from './connections/pipelining';
import { endUnreadResponses } from './connections/unread-responses';
import { correlationIdOf } from './correlation';
import type { KnownRoutes } from './known-routes';
import { bodyOwnerOf } from './known-sender';
import { OpsPort } from './ops-port';
import type { BufferBudget } from '../runtime/buffer-budget';
import { traceRequests } from './request-spans';
import { isEncoded, JSON_TYPE, refusedBody, type RouteBody } from './route-body';
import { sendProblem, toProblem } from './problem.filter';
import { readWholeBody } from './whole-body';

declare module 'fastify' {
  interface FastifyRequest {
    /** The text of a body that was parsed as JSON. Parsing it has rounded long numbers. */
    bodyText?: string;
  }
}

/** Headers of the only pages that run in browsers. Swagger UI loads its own scripts and uses inline styles. */
const DOCS_HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'Referrer-Policy': 'no-referrer',
};

/**
 * Creates the HTTP server of every role: request ids, limits, body parsers, and problem+json for errors before Nest.
 *
 * @param onUnread called when a connection is destroyed because its client does not read
 */
export function createFastifyAdapter(
  settings: Settings,
  routes: KnownRoutes,
  buffers: BufferBudget,
  onUnread: () => void = () => undefined,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    ...CONNECTION_LIMITS,
    keepAliveTimeout: settings.KEEP_ALIVE_TIMEOUT_MS,
    serverFactory: (handler: RequestListener) => createHttpServer(handler, settings, onUnread),
    clientErrorHandler: refuseBrokenRequest,
    genReqId: correlationIdOf,
    bodyLimit: settings.MAX_EVENT_BYTES,
    routerOptions: { maxParamLength: 512 },
    trustProxy: settings.TRUST_PROXY.length > 0 && [...settings.TRUST_PROXY], // request.ip is then the client's
    return503OnClosing: false, // requests that arrive while draining still get a response
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      sendProblem(
        reply,
        request.id,
        toProblem(error) ?? new Problem('route-not-found', 'There is no endpoint at this path.'),
      );
    },
  });
  const server = adapter.getInstance<FastifyInstance>();
  routes.watch(server);
  const refusedHost = hostCheck(settings);
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Correlation-Id', request.id);
    reply.header('X-Content-Type-Options', 'nosniff');
    reply.header('Cache-Control', 'no-store'); // a response is valid for one tenant and one moment
    if (request.url.startsWith('/docs')) reply.headers(DOCS_HEADERS);
    done(refusedHeaders(request.raw) ?? refusedHost(request.raw) ?? refusedAccept(request));
  });
  const { OPS_PORT } = settings;
  server.decorate('opsPort', OPS_PORT === undefined ? undefined : new OpsPort(server, { ...settings, OPS_PORT }));
  if (settings.OTEL_EXPORTER_OTLP_ENDPOINT) traceRequests(server);
  server.decorate('lastResponses', new LastResponses(server));
  addBodyParsers(server, settings, buffers);
  return adapter;
}

/** Fastify applies its own timeouts only to a server that it creates; where it has no limit, Node must have none. */
function createHttpServer(handler: RequestListener, settings: Settings, onUnread: () => void): Server {
  const server = createServer(CONNECTION_LIMITS.http, boundPipelining(handler));
  server.keepAliveTimeout = settings.KEEP_ALIVE_TIMEOUT_MS;
  server.requestTimeout = 0;
  server.setTimeout(0);
  server.maxConnections = settings.MAX_CONNECTIONS;
  endUnreadResponses(server, settings.RESPONSE_STALL_TIMEOUT_MS, onUnread);
  return server;
}

function addBodyParsers(server: FastifyInstance, settings: Settings, buffers: BufferBudget): void {
  const { MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS: stallMs } = settings;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (request, payload, done) => {
    const { headers, mediaType } = request;
    const route = routeBodyOf(request);
    const reading = request.refusal ? 'whole' : route?.reading(mediaType, headers);
    if (route && (reading === 'stream' || isEncoded(headers))) return done(null, payload);
    const announcedBytes = Number(headers['content-length']);
    const mayBeArray = reading === 'stream-if-array';
    const hold = buffers.open(bodyOwnerOf(request));
    const maxBytes = route?.maxBytes ? route.maxBytes(MAX_EVENT_BYTES) : MAX_EVENT_BYTES;
    readWholeBody(
      payload,
      { maxBytes, stallMs, announcedBytes, mayBeArray, takesLarge: route?.keepsRefused === true, hold },
      (error, body) => {
        if (error || route) done(error, body);
        else parseJson(request, body as Buffer, done);
      },
    );
  });
  server.addHook('preParsing', (request, _reply, _payload, done) => {
    if (request.method === 'GET' || request.method === 'HEAD') return done();
    const route = routeBodyOf(request);
    const refusal = refusedBody(request, route);
    if (!refusal || !route?.keepsRefused || refusal.code !== 'unsupported-media-type') return done(refusal);
    const isValidType = mediaTypeIsValid(request);
    if (isValidType) request.refusal = refusal;
    done(isValidType ? null : refusal.with({ kept: false })); // Fastify reads no body of an invalid type
  });
}

const mediaTypeIsValid = ({ mediaType, headers }: FastifyRequest): boolean =>
  mediaType !== undefined || headers['content-type'] === undefined;

/** A cheap test first: this runs for every request, and hardly any client refuses a media type. */
function refusedAccept(request: FastifyRequest): Problem | undefined {
  const { accept } = request.headers;
  if (!accept?.includes('q=0') || !request.routeOptions.url?.startsWith('/v1/')) return undefined;
  return refusesAll(accept, routeBodyOf(request)?.answers ?? [JSON_TYPE]);
}

function routeBodyOf(request: FastifyRequest): RouteBody | undefined {
  const config = request.routeOptions.config as Partial<RouteBody>;
  return config.takesBody && (config as RouteBody);
}

/** Throws for invalid UTF-8 and drops a leading BOM. */
const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** The validation of request bodies is recursive. */
const MAX_DEPTH = 64;

function parseJson(request: FastifyRequest, body: Buffer, done: (error: Error | null, value?: unknown) => void): void {
  let text: string;
  let value: unknown;
  try {
    text = UTF8.decode(body);
    value = parseText(text);
  } catch {
    return done(new Problem('malformed-body', 'The body is not valid JSON in UTF-8.'));
  }
  request.bodyText = text;
  if (!text.trimStart().startsWith('{')) return done(null, value);
  const { depth, repeated } = scanJsonObject(text);
  if (depth > MAX_DEPTH) return done(new Problem('invalid-request', `The body has more than ${MAX_DEPTH} levels.`));
  done(repeated === undefined ? null : repeatedField(repeated), value);
}

/** JSON.parse would keep the last value, and the other one may be what the sender meant. */
function repeatedField(name: string): Problem {
  return new Problem('invalid-request', 'The body has a field twice.', {
    errors: [{ pointer: childPointer('', name), code: 'invalid-request', message: 'is sent more than once' }],
  });
}
