import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';

/** An HTTP proxy that only knows CONNECT. All names lead to 127.0.0.1. */
export class ConnectProxy {
  /** The authorities that were asked for, with the credentials. */
  readonly requests: { authority: string; authorization: string | undefined }[] = [];
  /** The status that it answers with; none: it does not answer, as for a host that does not. */
  status: number | 'none' | 'closes' = 200;
  connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {
    server.on('connection', () => (this.connections += 1));
    server.on('connect', ({ url = '', headers }, client: Socket) => {
      this.requests.push({ authority: url, authorization: headers['proxy-authorization'] });
      this.sockets.add(client);
      client.on('error', () => undefined);
      if (this.status === 'none') return;
      if (this.status === 'closes') return void client.end();
      client.write(`HTTP/1.1 ${this.status} Answer\r\n\r\n`);
      if (this.status !== 200) return void client.end();
      const target = connect(Number(url.slice(url.lastIndexOf(':') + 1)), '127.0.0.1');
      target.on('error', () => client.destroy()).pipe(client);
      client.pipe(target);
    });
  }

  static async start(): Promise<ConnectProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ConnectProxy(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
