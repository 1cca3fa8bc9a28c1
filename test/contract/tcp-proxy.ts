import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Link {
  client: Socket;
  server: Socket | undefined;
}

/** Stands between a client and a server of the run, so that a test can freeze, cut and restore their connection. */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private readonly target: URL;
  private listener: Server | undefined;
  private port = 0;
  private frozen = false;
  private swallowing = false;

  private constructor(url: string) {
    this.target = new URL(url);
  }

  static async to(url: string): Promise<TcpProxy> {
    const proxy = new TcpProxy(url);
    await proxy.restore();
    return proxy;
  }

  /** The target's URL, by way of this proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  get connections(): number {
    return this.links.size;
  }

  /** Nothing passes in either direction, but every connection stays open. */
  freeze(): void {
    this.frozen = true;
    for (const link of this.links) this.apply(link);
  }

  /** What was held back since `freeze` passes now. */
  thaw(): void {
    this.frozen = false;
    for (const link of this.links) this.apply(link);
  }

  /** New connections are accepted, and for ever silent. */
  swallowNew(swallowing: boolean): void {
    this.swallowing = swallowing;
  }

  /** Breaks all connections; new ones are refused until `restore`. */
  async cut(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    const closed = new Promise<void>((resolve) => (listener ? listener.close(() => resolve()) : resolve()));
    for (const { client, server } of this.links) {
      client.destroy();
      server?.destroy();
    }
    await closed;
  }

  async restore(): Promise<void> {
    const listener = createServer((client) => this.link(client));
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen(this.port, '127.0.0.1', resolve);
    });
    this.listener = listener;
    this.port = (listener.address() as AddressInfo).port;
  }

  /** Bytes for every client, as if the server had sent them. Only while the server is silent. */
  inject(bytes: Buffer): void {
    for (const { client } of this.links) client.write(bytes);
  }

  private link(client: Socket): void {
    const link: Link = { client, server: undefined };
    this.links.add(link);
    if (!this.swallowing) link.server = connect(Number(this.target.port), this.target.hostname);
    const { server } = link;
    client.on('data', (bytes) => server?.write(bytes));
    server?.on('data', (bytes) => client.write(bytes));
    const end = (): void => {
      this.links.delete(link);
      client.destroy();
      server?.destroy();
    };
    for (const socket of [client, server]) socket?.on('close', end).on('error', end);
    this.apply(link);
  }

  private apply({ client, server }: Link): void {
    for (const socket of [client, server]) {
      if (this.frozen) socket?.pause();
      else socket?.resume();
    }
  }
}
