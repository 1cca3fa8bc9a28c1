import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { buildConnector } from 'undici';

const MAX_HEAD_BYTES = 16_384;
const STATUS = /^HTTP\/1\.[01] (\d{3})/;

/** The proxy opened no tunnel. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly code = 'PROXY_FAILED';
}

/**
 * Connects through an HTTP proxy. CONNECT opens a tunnel to the host, also for http: URLs, and TLS runs inside it, so that
 * the proxy sees no more than host and port of an https: URL.
 *
 * @param check throws if the host may not be connected to
 */
export function tunnelConnector(
  proxyUrl: string,
  timeoutMs: number,
  check: (url: URL) => Promise<void>,
): buildConnector.connector {
  const proxy = new URL(proxyUrl);
  const inTunnel = buildConnector({ timeout: timeoutMs });
  return (options, callback) => {
    const { protocol, hostname, port } = options;
    const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
    const authority = `${host}:${port || (protocol === 'https:' ? 443 : 80)}`;
    check(new URL(`${protocol}//${authority}`))
      .then(() => openTunnel(proxy, authority, timeoutMs))
      .then(
        (httpSocket) => {
          if (protocol === 'https:') inTunnel({ ...options, httpSocket }, callback);
          else callback(null, httpSocket);
        },
        (error: Error) => callback(error, null),
      );
  };
}

function openTunnel(proxy: URL, authority: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connectTo(proxy, () => socket.write(requestFor(proxy, authority)));
    const timer = setTimeout(() => fail(new ProxyError('the proxy does not answer')), timeoutMs);
    let head = Buffer.alloc(0);
    const stop = (): void => {
      clearTimeout(timer);
      socket.off('data', read).off('close', closed);
    };
    const fail = (error: Error): void => {
      stop();
      socket.destroy();
      reject(error);
    };
    const closed = (): void => fail(new ProxyError('the proxy closed the connection'));
    const read = (bytes: Buffer): void => {
      head = Buffer.concat([head, bytes]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) {
        if (head.length > MAX_HEAD_BYTES) fail(new ProxyError('the proxy does not answer with HTTP'));
        return;
      }
      const status = STATUS.exec(head.toString('latin1'))?.[1] ?? 'no HTTP';
      if (!status.startsWith('2')) return fail(new ProxyError(`the proxy answered ${status}`));
      stop();
      socket.pause();
      if (head.length > end + 4) socket.unshift(head.subarray(end + 4));
      resolve(socket);
    };
    // Stays: between the tunnel and its use, an error without a listener would end the process.
    socket.on('error', (error) => fail(unreachable(error)));
    socket.on('data', read).on('close', closed);
  });
}

/** Connects to the proxy and asks it for nothing. @throws ProxyError */
export function reachProxy(proxyUrl: string, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: ProxyError): void => {
      clearTimeout(timer);
      socket.destroy();
      if (error) reject(error);
      else resolve();
    };
    const timer = setTimeout(() => end(new ProxyError('the proxy does not answer')), timeoutMs);
    const socket = connectTo(new URL(proxyUrl), () => end());
    socket.on('error', (error) => end(unreachable(error)));
  });
}

const unreachable = ({ code = '' }: NodeJS.ErrnoException): ProxyError =>
  new ProxyError(`the proxy cannot be reached (${code})`);

function connectTo({ protocol, hostname, port }: URL, onConnected: () => void): Socket {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'http:') return connectTcp({ host, port: Number(port) || 80 }, onConnected);
  return connectTls({ host, port: Number(port) || 443, ...(isIPv6(host) ? {} : { servername: host }) }, onConnected);
}

function requestFor({ username, password }: URL, authority: string): string {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Proxy-Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials === ':' ? '' : authorization}\r\n`;
}
