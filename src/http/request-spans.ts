import type { IncomingMessage } from 'node:http';
import { SpanKind, SpanStatusCode, type Span } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { startSpan, traceparentOf } from '../observability/spans';
import { readTraceparent } from './correlation';

/**
 * A SERVER span for each request of the API that is sampled. From then on the request's `traceparent` is that span's, so
 * whoever reads the header continues it. Registered only where tracing is on.
 */
export function traceRequests(server: FastifyInstance): void {
  const spans = new WeakMap<IncomingMessage, Span>();
  server.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url;
    if (!route?.startsWith('/v1/')) return done(); // probes and scrapes would be most of all traces
    const { raw, method, id } = request;
    const span = startSpan(`${method} ${route}`, readTraceparent(raw), { kind: SpanKind.SERVER });
    if (span.isRecording()) {
      // Not at the start: the SDK copies and checks them before it asks the sampler, for requests without a span, too.
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
