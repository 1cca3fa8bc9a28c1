import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** As undici has it for direct connections. */
const KEEP_ALIVE_AFTER_MS = 60_000;
/** A proxy that accepts no connection for this long has failed. Less time may only mean that this process is busy. */
const SURELY_LATE_MS = 2_000;
/** No HTTP server understands it, so all of them refuse it at once. */
const NONSENSE = 'STREAMFORGE\r\n\r\n';

/** The proxy opened no tunnel to this host. It may open others. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code = 'PROXY_FAILED';
}

/** The proxy can open no tunnel at all. That says nothing about the host. */
export class ProxyUnavailableError extends Error {
  override readonly name = 'ProxyUnavailableError';
  readonly code = 'PROXY_UNAVAILABLE';

  /** @param isSure the next connection would fail as well */
  constructor(
    message: string,
    readonly isSure = true,
  ) {
    super(message);
  }
}

/**
 * Connects to the proxy and asks it for nothing. The socket has a listener for errors: one without would end the process.
 * @throws ProxyUnavailableError
 */
export function reachProxy(proxy: URL, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: ProxyUnavailableError): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const late = new ProxyUnavailableError('the proxy does not answer', timeoutMs >= SURELY_LATE_MS);
    const timer = setTimeout(() => fail(late), timeoutMs);
    const socket = connectTo(proxy, () => {
      clearTimeout(timer);
      resolve(socket);
    });
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_AFTER_MS);
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) =>
      fail(new ProxyUnavailableError(`the proxy cannot be reached (${code})`)),
    );
  });
}

/** What the proxy makes of a request that names no host. Tells a proxy that hangs from a host that does. */
export function probeProxy(proxy: URL, timeoutMs: number): Promise<'answers' | 'closes' | 'fails'> {
  return new Promise((resolve) => {
    const end = (result: 'answers' | 'closes' | 'fails'): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => end('fails'), timeoutMs);
    const socket = connectTo(proxy, () => socket.write(NONSENSE));
    socket.on('data', () => end('answers'));
    socket.on('error', () => end('fails'));
    socket.on('close', () => end('closes'));
  });
}

function connectTo({ protocol, hostname, port }: URL, onConnected: () => void): Socket {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'http:') return connectTcp({ host, port: Number(port) || 80 }, onConnected);
  return connectTls({ host, port: Number(port) || 443, ...(isIPv6(host) ? {} : { servername: host }) }, onConnected);
}
