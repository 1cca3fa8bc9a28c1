import type { FastifyError, FastifyInstance } from 'fastify';
import type { Metrics } from '../observability/metrics';

/** Counts single events that are larger than MAX_EVENT_BYTES: the body parser rejects them before a controller sees them. */
export function countOversizedEvents(server: FastifyInstance, metrics: Metrics): void {
  server.addHook('onError', (request, _reply, error: FastifyError, done) => {
    const isEvent = request.routeOptions.url === '/v1/events';
    if (isEvent && error.code === 'event-too-large') {
      metrics.ingestTotal.inc({ source: 'single', status: 'rejected' });
    }
    done();
  });
}
