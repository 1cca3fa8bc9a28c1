import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

interface Link {
  client: Socket;
  server: Socket | undefined;
  /** Passes nothing any more. */
  silent?: boolean;
}

/** A proxy between a client and a server of the run. A test can freeze, cut and restore their connections. */
export class TcpProxy {
  private readonly links = new Set<Link>();
  private target: URL;
  private listener: Server | undefined;
  private frozen = false;
  private swallowing = false;
  private holding = { requests: false, answers: false };
  private heldBytes: { bytes: Buffer; pass: () => void }[] = [];

  private constructor(
    url: string,
    private port: number,
  ) {
    this.target = new URL(url);
  }

  /** @param port on which it listens; by default any that is free */
  static async to(url: string, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(url, port);
    await proxy.restore();
    return proxy;
  }

  /** The URL of the target through this proxy. */
  get url(): string {
    const url = new URL(this.target);
    url.host = `127.0.0.1:${this.port}`;
    return url.href;
  }

  /** New connections lead to another server, as after a failover behind one address. */
  redirect(url: string): void {
    this.target = new URL(url);
  }

  get connections(): number {
    return this.links.size;
  }

  /** Passes nothing in either direction. All connections stay open. */
  freeze(): void {
    this.frozen = true;
    for (const link of this.links) this.apply(link);
  }

  /** Passes what arrived since `freeze`, and everything after it. */
  thaw(): void {
    this.frozen = false;
    for (const link of this.links) this.apply(link);
  }

  /** Passes nothing more on the connections of now, which stay open, as a firewall does that forgot them. New ones work. */
  silence(): void {
    for (const link of this.links) {
      link.silent = true;
      this.apply(link);
    }
  }

  /** The ports of the clients whose connections are silent. */
  get silentPorts(): number[] {
    return [...this.links].flatMap(({ silent, client }) => (silent ? (client.remotePort ?? []) : []));
  }

  /** Closes the silent connections, as keep-alive does in the end. */
  dropSilent(): void {
    for (const { client, server, silent } of this.links) {
      if (!silent) continue;
      client.destroy();
      server?.destroy();
    }
  }

  /** Keeps the bytes of one direction until `release`. They are lost when their connection closes. */
  hold(direction: 'requests' | 'answers'): void {
    this.holding[direction] = true;
  }

  /** Passes the kept bytes in order, and holds no more. */
  release(): void {
    this.holding = { requests: false, answers: false };
    for (const { pass } of this.heldBytes.splice(0)) pass();
  }

  /** The kept bytes as text. */
  get held(): string {
    return this.heldBytes.map(({ bytes }) => bytes.toString('latin1')).join('');
  }

  /** While true, new connections are accepted and never get an answer. */
  swallowNew(swallowing: boolean): void {
    this.swallowing = swallowing;
  }

  /** Breaks all connections. New ones are refused until `restore`. */
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

  /** Sends bytes to every client as if the server had sent them. Use it only while the server sends nothing. */
  inject(bytes: Buffer): void {
    for (const { client } of this.links) client.write(bytes);
  }

  private link(client: Socket): void {
    const link: Link = { client, server: undefined };
    this.links.add(link);
    if (!this.swallowing) link.server = connect(Number(this.target.port), this.target.hostname);
    const { server } = link;
    client.on('data', (bytes) => this.pass('requests', bytes, server));
    server?.on('data', (bytes) => this.pass('answers', bytes, client));
    const end = (): void => {
      this.links.delete(link);
      client.destroy();
      server?.destroy();
    };
    for (const socket of [client, server]) socket?.on('close', end).on('error', end);
    this.apply(link);
  }

  private pass(direction: 'requests' | 'answers', bytes: Buffer, to: Socket | undefined): void {
    const pass = (): void => void (to?.writable && to.write(bytes));
    if (this.holding[direction]) this.heldBytes.push({ bytes, pass });
    else pass();
  }

  private apply({ client, server, silent = false }: Link): void {
    for (const socket of [client, server]) {
      if (this.frozen || silent) socket?.pause();
      else socket?.resume();
    }
  }
}
