import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

/** Bytes to send, or a way to end the connection. Each step is sent on its own. */
export type Step = string;
/** Responds to the nth request, from 1. */
export type Respond = (socket: Socket, nth: number) => void;

export const END: Step = ' END ';
export const RESET: Step = ' RESET ';
const STEP_MS = 10;

/** Sends the steps one after the other. Each character of a step is one byte. */
export const send =
  (...steps: Step[]): Respond =>
  (socket) => {
    const [step, ...later] = steps;
    if (step === undefined || socket.destroyed) return;
    if (step === END) socket.end();
    else if (step === RESET) socket.resetAndDestroy();
    else socket.write(Buffer.from(step, 'latin1'));
    if (later.length > 0) setTimeout(() => send(...later)(socket, 0), STEP_MS);
  };

/** Takes the responses in turn. The last one repeats. */
export const oneByOne =
  (...responses: Respond[]): Respond =>
  (socket, nth) =>
    responses[Math.min(nth, responses.length) - 1]?.(socket, nth);

export interface ReceiverOptions {
  tls?: TlsOptions;
  /** Responds to the first bytes of a connection and reads no further. */
  isEarly?: boolean;
}

/** A receiver that sends the bytes that the test chooses, also what no HTTP server would send. */
export class RawReceiver {
  requests = 0;
  connections = 0;
  closed = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly respond: Respond,
    { tls, isEarly }: ReceiverOptions,
  ) {
    server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections += 1;
      this.sockets.add(socket);
      socket.once('close', () => {
        this.sockets.delete(socket);
        this.closed += 1;
      });
      socket.on('error', () => undefined); // the client closes connections while this side writes
      if (isEarly) socket.once('data', () => this.respond(socket.pause(), ++this.requests));
      else this.readRequests(socket);
    });
  }

  static async start(respond: Respond, options: ReceiverOptions = {}): Promise<RawReceiver> {
    const server = options.tls ? createTlsServer(options.tls) : createTcpServer();
    const receiver = new RawReceiver(server, respond, options);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private readRequests(socket: Socket): void {
    let unread = '';
    socket.on('data', (bytes: Buffer) => {
      unread += bytes.toString('latin1');
      for (let head = unread.indexOf('\r\n\r\n'); head >= 0; head = unread.indexOf('\r\n\r\n')) {
        const end = head + 4 + Number(/content-length: (\d+)/i.exec(unread)?.[1] ?? 0);
        if (unread.length < end) return;
        unread = unread.slice(end);
        this.respond(socket, ++this.requests);
      }
    });
  }
}
