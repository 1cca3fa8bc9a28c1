import type { FastifyInstance } from 'fastify';
import { Problem } from '../event/problems';

/** Remembers the methods of each path, so that a wrong method gets 405 with Allow instead of 404. */
export class KnownRoutes {
  private readonly methods = new Map<string, { path: RegExp; methods: Set<string> }>();

  watch(server: FastifyInstance): void {
    server.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return;
      const route = this.methods.get(url) ?? { path: patternOf(url), methods: new Set<string>() };
      for (const name of [method].flat()) route.methods.add(name);
      this.methods.set(url, route);
    });
  }

  /** Returns the problem to send when no route matched, and the Allow header if the path exists. */
  problemFor(method: string, url: string): { problem: Problem; allow: string | undefined } {
    const path = url.split('?', 1)[0] ?? '';
    const allowed = [...this.methods.values()].filter((route) => route.path.test(path)).flatMap((r) => [...r.methods]);
    if (allowed.length === 0) {
      return { problem: new Problem('route-not-found', 'There is no endpoint at this path.'), allow: undefined };
    }
    const allow = [...new Set(allowed)].sort().join(', ');
    return {
      problem: new Problem('method-not-allowed', `${method} is not supported at this path. Use ${allow}.`),
      allow,
    };
  }
}

function patternOf(url: string): RegExp {
  const parts = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
