import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '../event/problems';
import { dropBrokenContentType } from './body/read-source-body';
import type { LiveSource } from './directory/live-source';
import type { SourceRegistry } from './directory/source-registry';
import { sourceRefusal, type RefusalTools } from './directory/source-refusal';

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

interface GateTools extends RefusalTools {
  registry: SourceRegistry;
}

/**
 * Finds the source of a request before its body is read: a stranger's body costs nothing. Providers disable a URL that
 * answers 4xx, so whatever is only for a while is 503.
 */
export function guardSources(server: FastifyInstance, { registry, directory, allowlist }: GateTools): void {
  server.addHook('onRoute', (route) => {
    if (!route.config?.ofSource) return;
    const admit = (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void): void => {
      dropBrokenContentType(request.headers);
      const sources = registry.ensureFresh();
      const tenants = directory.ensureFresh();
      if (!sources && !tenants) return decide(request, done);
      Promise.all([sources, tenants]).then(() => decide(request, done), done);
    };
    const decide = (request: FastifyRequest, done: (error?: Error) => void): void => {
      const source = registry.withToken((request.params as { token: string }).token);
      if (!source) return done(new Problem('source-not-found', 'There is no source with this URL.'));
      request.source = source;
      request.knownAs = source.row.tenantId;
      done(sourceRefusal(source, { directory, allowlist }));
    };
    route.onRequest = [...[route.onRequest ?? []].flat(), admit];
  });
}
