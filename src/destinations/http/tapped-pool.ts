import { Client, Pool, type buildConnector, type Dispatcher } from 'undici';
import { HeadTap } from './head-tap';

/** Options of a request whose sender wants the tap of the connection that it gets. */
export interface TappedOptions extends Dispatcher.DispatchOptions {
  onTap: (tap: HeadTap) => void;
}

export interface PoolOptions {
  origin: string;
  /** Maximum number of connections. */
  most: number;
  connect: buildConnector.connector;
}

/** One connection with a tap. Its requests run one after the other. */
class TappedClient extends Client {
  private readonly tap: HeadTap;

  constructor(origin: URL, options: Client.Options, connect: buildConnector.connector) {
    const tap = new HeadTap();
    const connectTapped: buildConnector.connector = (target, callback) =>
      connect(target, (...result) => {
        if (result[1]) tap.watch(result[1]);
        callback(...result);
      });
    super(origin, { ...options, connect: connectTapped });
    this.tap = tap;
  }

  override dispatch(options: TappedOptions, handler: Dispatcher.DispatchHandler): boolean {
    options.onTap(this.tap);
    return super.dispatch(options, handler);
  }
}

/** Opens keep-alive connections. Requests to the pool need `TappedOptions`. */
export function openPool({ origin, most, connect }: PoolOptions): Pool {
  return new Pool(origin, {
    connections: most,
    pipelining: 1,
    connect,
    factory: (url, options) => new TappedClient(url, options, connect),
    // The deadline of each exchange covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
