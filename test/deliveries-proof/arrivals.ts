import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** What the receiver answers to one request. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
}

/** Longer than a run: a request on a connection that is being closed would fail without a fault. */
const KEEP_ALIVE_MS = 3_600_000;

/** The requests to one path of the receiver. */
export class Arrivals {
  /** Times that each `webhook-id` was accepted, in the order of the first acceptances. */
  readonly accepted = new Map<string, number>();
  requests = 0;
  firstMs = Infinity;
  lastAcceptedMs = -Infinity;

  constructor(private readonly answer: (nowMs: number) => Answer) {}

  take(id: string, nowMs: number): Answer {
    this.requests += 1;
    this.firstMs = Math.min(this.firstMs, nowMs);
    const answer = this.answer(nowMs);
    if (answer.status >= 300) return answer;
    this.accepted.set(id, (this.accepted.get(id) ?? 0) + 1);
    this.lastAcceptedMs = nowMs;
    return answer;
  }

  /** Events that were accepted more than once. */
  get repeated(): number {
    return [...this.accepted.values()].filter((times) => times > 1).length;
  }
}

/** The receiver of all destinations of a run. Each has a path of its own. */
export class CountingReceiver {
  private readonly byPath = new Map<string, Arrivals>();
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      request.resume().on('end', () => {
        const arrivals = this.byPath.get(request.url ?? '');
        const answer = arrivals?.take(String(request.headers['webhook-id']), Date.now());
        response.writeHead(answer?.status ?? 404, answer?.headers).end();
      });
    });
  }

  static async start(): Promise<CountingReceiver> {
    const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new CountingReceiver(server);
  }

  /** Adds a path. @param answer to a request at this time; by default everything is accepted */
  add(name: string, answer: (nowMs: number) => Answer = () => ({ status: 204 })): { url: string; arrivals: Arrivals } {
    const arrivals = new Arrivals(answer);
    this.byPath.set(`/${name}`, arrivals);
    return { url: `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/${name}`, arrivals };
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
