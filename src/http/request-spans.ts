import type { IncomingMessage } from 'node:http';
import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { startSpan, traceparentOf, unsampled } from '../observability/spans';
import { readTraceparent } from './correlation';

/**
 * Records a SERVER span for each sampled request of the API and of sources. The span's context replaces the request's
 * `traceparent` header, so that later readers of the header continue the span. Whether the caller samples the trace is
 * heeded only if the caller is known: a stranger could otherwise have every request recorded. Registered only when
 * tracing is on.
 */
export function traceRequests(server: FastifyInstance): void {
  const spans = new WeakMap<IncomingMessage, Span>();
  const start = (request: FastifyRequest, reply: FastifyReply): void => {
    const route = request.routeOptions.url;
    if (!route?.startsWith('/v1/') && !route?.startsWith('/in/')) return; // probes would be most of the traces
    const { raw, method, id } = request;
    const sent = readTraceparent(raw);
    const parent = sent !== undefined && request.knownAs === undefined ? unsampled(sent) : sent;
    if (parent !== undefined) raw.headers.traceparent = parent;
    const startedMs = Date.now() - reply.elapsedTime;
    const span = startSpan(`${method} ${route}`, parent, { kind: SpanKind.SERVER, startedMs });
    spans.set(raw, span);
    if (!span.isRecording()) return;
    // Set after sampling: the SDK copies and checks start attributes first, even for requests that are not sampled.
    span.setAttributes({ 'http.request.method': method, 'http.route': route, 'streamforge.correlation_id': id });
    raw.headers.traceparent = traceparentOf(span);
  };
  // After the hooks that find out who the caller is.
  server.addHook('preParsing', (request, reply, _payload, done) => {
    start(request, reply);
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    if (!spans.has(request.raw)) start(request, reply); // refused before the body was looked at
    const span = spans.get(request.raw);
    if (span?.isRecording()) {
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
    done();
  });
}
