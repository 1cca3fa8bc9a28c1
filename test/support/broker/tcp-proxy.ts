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
  private holding = { requests: false, answers: false };
  private heldBytes: { bytes: Buffer; pass: () => void }[] = [];

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

  /** One direction stands still: what comes is kept, not passed, until `release`. Lost with its connection. */
  hold(direction: 'requests' | 'answers'): void {
    this.holding[direction] = true;
  }

  /** Passes what was kept, in order, and holds nothing any more. */
  release(): void {
    this.holding = { requests: false, answers: false };
    for (const { pass } of this.heldBytes.splice(0)) pass();
  }

  /** What is being kept, as text. */
  get held(): string {
    return this.heldBytes.map(({ bytes }) => bytes.toString('latin1')).join('');
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

  private apply({ client, server }: Link): void {
    for (const socket of [client, server]) {
      if (this.frozen) socket?.pause();
      else socket?.resume();
    }
  }
}
