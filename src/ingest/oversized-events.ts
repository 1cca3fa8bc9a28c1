import type { FastifyError, FastifyInstance } from 'fastify';
import type { Metrics } from '../observability/metrics';

/** Counts single events that are larger than MAX_EVENT_BYTES: Fastify rejects their bodies before a controller sees them. */
export function countOversizedEvents(server: FastifyInstance, metrics: Metrics): void {
  server.addHook('onError', (request, _reply, error: FastifyError, done) => {
    const isEvent = request.routeOptions.url === '/v1/events';
    if (isEvent && error.code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
      metrics.ingestTotal.inc({ source: 'single', status: 'rejected' });
    }
    done();
  });
}
