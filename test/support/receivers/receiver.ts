import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  atMs: number;
  /** Tells connections apart. */
  fromPort: number | undefined;
  /** Number of the delivery of this event (webhook-id), from 1. */
  nth: number;
}

/** How a receiver responds to a delivery. */
export type Reaction = (response: ServerResponse, received: Received) => void;

export const answer =
  (status: number, headers: Record<string, string> = {}, body = ''): Reaction =>
  (response) =>
    void response.writeHead(status, headers).end(body);

/** Takes the reactions in turn for each event. The last one repeats. */
export const inTurn =
  (...reactions: Reaction[]): Reaction =>
  (response, received) =>
    reactions[Math.min(received.nth, reactions.length) - 1]?.(response, received);

/** An HTTP server for a destination. A test chooses its reaction. */
export class TestReceiver {
  readonly received: Received[] = [];
  reaction: Reaction = answer(200);
  private readonly seen = new Map<string, number>();

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
    readonly port: number,
  ) {
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const id = String(request.headers['webhook-id']);
        const nth = (this.seen.get(id) ?? 0) + 1;
        this.seen.set(id, nth);
        const body = Buffer.concat(chunks).toString('utf8');
        const { url: path = '', headers } = request;
        const fromPort = request.socket.remotePort;
        const received = { path, headers, body, atMs: Date.now(), fromPort, nth };
        this.received.push(received);
        this.reaction(response, received);
      });
    });
  }

  /** @param keepAliveTimeout in ms, after which it closes an idle connection */
  static async start(keepAliveTimeout = 5_000): Promise<TestReceiver> {
    const server = createServer({ keepAliveTimeout });
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TestReceiver(server, sockets, (server.address() as AddressInfo).port);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.sockets.size;
  }

  of(eventId: string): Received[] {
    return this.received.filter(({ headers }) => headers['webhook-id'] === eventId);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Returns true when the standardwebhooks library verifies a delivery: signature, id and timestamp. */
export function isSignedBy(secret: string, received: Received | undefined): boolean {
  try {
    new Webhook(secret).verify(received?.body ?? '', received?.headers as Record<string, string>);
    return true;
  } catch {
    return false;
  }
}
