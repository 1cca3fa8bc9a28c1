import { createServer, type AddressInfo, type Socket } from 'node:net';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings';
import { Problem } from '../event/problems';

declare module 'fastify' {
  interface FastifyInstance {
    /** The second port; undefined without OPS_PORT. */
    opsPort: OpsPort | undefined;
  }
}

/**
 * The second port of a process, OPS_PORT, which serves everything. Strangers who reach PORT then see nothing that only
 * operators need. Its connections are handed to the HTTP server of PORT, so that both have the same limits.
 */
export class OpsPort {
  private readonly sockets = new WeakSet<Socket>();
  private readonly listener;

  constructor(
    server: FastifyInstance,
    private readonly settings: Pick<Settings, 'HOST' | 'MAX_CONNECTIONS'> & { OPS_PORT: number },
  ) {
    const http = server.server;
    // The options are those of the listener that an HTTP server makes for itself.
    this.listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.sockets.add(socket);
      http.emit('connection', socket);
    });
    this.listener.maxConnections = settings.MAX_CONNECTIONS;
    server.addHook('onRequest', (request, _reply, done) => {
      done(this.isHere(request) || isForStrangers(request) ? undefined : notHere());
    });
    server.addHook('onClose', async () => {
      const closed = new Promise((resolve) => this.listener.close(resolve)); // also if it never listened
      http.closeIdleConnections();
      await closed;
    });
  }

  /**
   * Starts to listen, and returns the URL.
   * @throws Error of the system, such as EADDRINUSE
   */
  async listen(): Promise<string> {
    const { OPS_PORT, HOST } = this.settings;
    await new Promise<void>((resolve, reject) =>
      this.listener.once('error', reject).listen(OPS_PORT, HOST, () => {
        this.listener.off('error', reject);
        resolve();
      }),
    );
    const { address, port, family } = this.listener.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  private isHere({ raw }: FastifyRequest): boolean {
    return this.sockets.has(raw.socket);
  }
}

/** Whether PORT serves a request beside OPS_PORT. By its route: a path may be written in other ways. */
function isForStrangers({ routeOptions, url }: FastifyRequest): boolean {
  const { url: path } = routeOptions;
  // A path without a route gets its 404 or 405, and the route * answers preflights of CORS for every path.
  const route = path === undefined || path === '*' || path === '/*' ? url : path;
  if (route === '/health' || route === '/ready' || route.startsWith('/in/')) return true;
  return route.startsWith('/v1/') && route !== '/v1/admin' && !route.startsWith('/v1/admin/');
}

const notHere = (): Problem => new Problem('route-not-found', 'There is no endpoint at this path.');
