import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TenantAccess } from '../tenant-access';

/**
 * Finds out on the routes of tenants, before the body is read, which tenant seems to send a request. The guard, which
 * admits it, runs after that. On the routes of operators and of sources, the caller is known by then.
 */
export function recognizeTenants(server: FastifyInstance, tenants: Pick<TenantAccess, 'expected'>): void {
  server.addHook('onRoute', (route) => {
    if (!route.url.startsWith('/v1/') || route.config?.needed) return;
    const recognize = (request: FastifyRequest, _reply: unknown, done: () => void): void => {
      request.knownAs = tenants.expected(request.headers);
      done();
    };
    route.onRequest = [...[route.onRequest ?? []].flat(), recognize];
  });
}
