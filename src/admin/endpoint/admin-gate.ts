import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { OperatorAccess } from '../../access/operator-access';

/**
 * Admits operators to the routes that declare a role with @LeastRole. Runs before the body is read: what a caller sends
 * who may not call an endpoint is neither parsed nor judged. Guards of Nest would run after the body parser.
 */
export function guardAdminRoutes(server: FastifyInstance, access: OperatorAccess): void {
  server.addHook('onRoute', (route) => {
    const needed = route.config?.needed;
    if (!needed) return;
    const admit = (request: FastifyRequest, reply: FastifyReply): Promise<void> => access.admit(request, reply, needed);
    route.onRequest = [...[route.onRequest ?? []].flat(), admit];
  });
}
