import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TenantAccess } from '../tenant-access';

/**
 * Names the tenant of a body before it is read, on the routes that take events. The guard, which admits the request, runs
 * after that. Routes of operators and of sources know their caller by then.
 */
export function nameBodyOwners(server: FastifyInstance, tenants: Pick<TenantAccess, 'expected'>): void {
  server.addHook('onRoute', (route) => {
    const config = route.config as { takesBody?: unknown; ofSource?: boolean } | undefined;
    if (!config?.takesBody || config.ofSource) return;
    const name = (request: FastifyRequest, _reply: unknown, done: () => void): void => {
      request.bodyOwner = tenants.expected(request.headers);
      done();
    };
    route.onRequest = [...[route.onRequest ?? []].flat(), name];
  });
}
