import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    lastResponses: LastResponses;
  }
}

const LOOK_EVERY_MS = 100;

/**
 * From `begin()` on, each response closes its connection, so that clients and load balancers send their next request to
 * another process. Idle connections stay open until the server closes, because a request may be on its way.
 */
export class LastResponses {
  private hasBegun = false;

  constructor(server: FastifyInstance) {
    server.addHook('preClose', (done) => {
      this.begin(); // server.close() waits for kept connections
      closeWhenIdle(server);
      done();
    });
    server.addHook('onSend', (_request, reply, payload, done) => {
      if (this.hasBegun) reply.header('Connection', 'close');
      done(null, payload);
    });
  }

  begin(): void {
    this.hasBegun = true;
  }
}

/** A response whose headers were sent before leaves its connection open, and Node closes idle ones only once. */
function closeWhenIdle({ server }: FastifyInstance): void {
  const timer = setInterval(() => server.closeIdleConnections(), LOOK_EVERY_MS).unref();
  server.once('close', () => clearInterval(timer));
}
