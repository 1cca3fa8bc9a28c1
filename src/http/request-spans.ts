import type { IncomingMessage } from 'node:http';
import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { startSpan, traceparentOf } from '../observability/spans';
import { readTraceparent } from './correlation';

/**
 * Records a SERVER span for each sampled request of the API and of sources. The span's context replaces the request's `traceparent` header,
 * so that later readers of the header continue the span. Registered only when tracing is on.
 */
export function traceRequests(server: FastifyInstance): void {
  const spans = new WeakMap<IncomingMessage, Span>();
  server.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (!route?.startsWith('/v1/') && !route?.startsWith('/in/')) return done(); // probes would be most of the traces
    const { raw, method, id } = request;
    const span = startSpan(`${method} ${route}`, readTraceparent(raw), { kind: SpanKind.SERVER });
    if (span.isRecording()) {
      // Set after sampling: the SDK copies and checks start attributes first, even for requests that are not sampled.
      span.setAttributes({ 'http.request.method': method, 'http.route': route, 'streamforge.correlation_id': id });
      raw.headers.traceparent = traceparentOf(span);
      spans.set(raw, span);
    }
    done();
  });
  server.addHook('onResponse', ({ raw }, reply, done) => {
    const span = spans.get(raw);
    if (span) {
      span.setAttribute('http.response.status_code', reply.statusCode);
      if (reply.statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    }
    done();
  });
}
