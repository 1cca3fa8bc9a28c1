import type { FastifyInstance } from 'fastify';
import { didYouMean } from '../event/did-you-mean';
import { Problem } from '../event/problems';

interface KnownRoute {
  /** The path in parts; a part that begins with a colon is a parameter. */
  parts: string[];
  methods: Set<string>;
}

/** Remembers the methods of each path, so that a wrong method gets 405 with Allow instead of 404. */
export class KnownRoutes {
  private readonly routes = new Map<string, KnownRoute>();

  watch(server: FastifyInstance): void {
    server.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return;
      const route = this.routes.get(url) ?? { parts: url.split('/'), methods: new Set<string>() };
      for (const name of [method].flat()) route.methods.add(name);
      this.routes.set(url, route);
    });
  }

  /** Returns the problem to send when no route matched: 405 if the path exists, otherwise 404. */
  problemFor(method: string, url: string): Problem {
    const path = url.split('?', 1)[0] ?? '';
    const parts = path.split('/');
    const allowed = [...this.routes.values()].filter((route) => matches(route, parts)).flatMap((r) => [...r.methods]);
    if (allowed.length > 0) {
      const allow = [...new Set(allowed)].sort().join(', ');
      return new Problem('method-not-allowed', `${method} is not supported at this path. Use ${allow}.`, {
        headers: { Allow: allow },
      });
    }
    const meant = this.pathMeantBy(path);
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    return new Problem('route-not-found', `There is no endpoint at this path.${hint}`);
  }

  /** Returns the path of an endpoint that differs from `path` in slashes, case, a few letters, or its beginning. */
  private pathMeantBy(path: string): string | undefined {
    const parts = path.split('/').filter(Boolean);
    if (parts.length === 0) return undefined;
    const candidates = [...this.routes.values()].map((route) => withValues(route, parts));
    const ofSameLength = candidates.filter(({ length }) => length === parts.length);
    return (
      didYouMean(pathOf(parts), ofSameLength.map(pathOf)) ??
      candidates.map(pathOf).find((candidate) => !candidate.includes(':') && candidate.endsWith(pathOf(parts)))
    );
  }
}

const pathOf = (parts: string[]): string => `/${parts.join('/')}`;

function matches({ parts }: KnownRoute, sent: readonly string[]): boolean {
  return (
    parts.length === sent.length && parts.every((part, i) => (part.startsWith(':') ? sent[i] !== '' : part === sent[i]))
  );
}

/** Returns the parts of a route, with its parameters replaced by the parts that were sent in their places. */
function withValues({ parts }: KnownRoute, sent: readonly string[]): string[] {
  return parts.filter(Boolean).map((part, i) => (part.startsWith(':') ? (sent[i] ?? part) : part));
}
