import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AccessDirectory } from '../access/identity/access-directory';
import { Problem } from '../event/problems';
import { dropBrokenContentType } from './body/read-source-body';
import type { LiveSource } from './live-source';
import type { SourceRegistry } from './source-registry';

declare module 'fastify' {
  interface FastifyRequest {
    /** The source whose URL was called. Set on the routes below /in. */
    source?: LiveSource;
  }
  interface FastifyContextConfig {
    /** True for the routes below /in. */
    ofSource?: boolean;
  }
}

const RETRY_AFTER_SECONDS = 60;

/**
 * Finds the source of a request before its body is read: a stranger's body costs nothing. Providers disable a URL that
 * answers 4xx, so whatever is only for a while is 503.
 */
export function guardSources(server: FastifyInstance, registry: SourceRegistry, directory: AccessDirectory): void {
  server.addHook('onRoute', (route) => {
    if (!route.config?.ofSource) return;
    const admit = async (request: FastifyRequest): Promise<void> => {
      dropBrokenContentType(request.headers);
      await registry.ensureFresh();
      await directory.ensureFresh();
      const source = registry.withToken((request.params as { token: string }).token);
      if (!source) throw new Problem('source-not-found', 'There is no source with this URL.');
      refuseUnlessOpen(source, directory);
      request.source = source;
    };
    route.onRequest = [...[route.onRequest ?? []].flat(), admit];
  });
}

/** @throws Problem `source-unavailable` */
function refuseUnlessOpen({ row }: LiveSource, directory: AccessDirectory): void {
  const reason =
    row.status === 'paused'
      ? 'The source is paused.'
      : directory.tenant(row.tenantId)?.status === 'suspended'
        ? 'The tenant of the source is suspended.'
        : undefined;
  if (reason === undefined) return;
  throw new Problem('source-unavailable', `${reason} Send the request again later.`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
