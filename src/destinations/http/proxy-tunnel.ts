import { isIPv6, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { ProxyHealth } from '../../observability/proxy-health';
import { probeProxy, ProxyError, ProxyUnavailableError, reachProxy } from './reach-proxy';

const MAX_HEAD_BYTES = 16_384;
const STATUS = /^HTTP\/1\.[01] (\d{3})/;
const PROXY_AUTHENTICATION_REQUIRED = '407';
/** The proxy is near: whatever the destination takes, connecting to the proxy takes at most half of its time, and this. */
const MOST_REACH_MS = 5_000;
/** A proxy that has been silent for this part of the time is asked whether it answers at all, within the next part. */
const SILENT_PART = 0.7;
const PROBE_PART = 0.2;
/** In less time, a proxy on a busy machine may seem to hang. */
const LEAST_PROBE_MS = 500;
const MOST_PROBE_MS = 2_000;

export interface TunnelOptions {
  proxyUrl: string;
  /** For the tunnel, and once more for TLS inside it. */
  timeoutMs: number;
  health: ProxyHealth;
  /** Throws if the host may not be connected to. */
  check: (url: URL) => Promise<void>;
}

/**
 * Connects through an HTTP proxy. CONNECT opens a tunnel to the host, also for http: URLs, and TLS runs inside it, so that
 * the proxy sees no more than host and port of an https: URL. The proxy is reached while the host is checked, and is told
 * nothing before that.
 *
 * Fails with a ProxyUnavailableError where the proxy is at fault, with a ProxyError where it refuses this host.
 */
export function tunnelConnector(options: TunnelOptions): buildConnector.connector {
  const inTunnel = buildConnector({ timeout: options.timeoutMs });
  return (target, callback) => {
    const { protocol, hostname, port } = target;
    const host = isIPv6(hostname) ? `[${hostname}]` : hostname;
    const authority = `${host}:${port || (protocol === 'https:' ? 443 : 80)}`;
    openTunnel(options, new URL(`${protocol}//${authority}`), authority).then(
      (httpSocket) => {
        try {
          if (protocol === 'https:') inTunnel({ ...target, httpSocket }, callback);
          else callback(null, httpSocket);
        } catch (error) {
          httpSocket.destroy();
          callback(error instanceof Error ? error : new Error(String(error)), null);
        }
      },
      (error: Error) => callback(error, null),
    );
  };
}

async function openTunnel(options: TunnelOptions, url: URL, authority: string): Promise<Socket> {
  const { proxyUrl, timeoutMs, health, check } = options;
  const paused = health.pausedBy();
  if (paused !== undefined) throw new ProxyUnavailableError(paused);
  const startedMs = performance.now();
  const proxy = new URL(proxyUrl);
  try {
    const reachMs = Math.min(timeoutMs / 2, MOST_REACH_MS);
    const [checked, reached] = await Promise.allSettled([check(url), reachProxy(proxy, reachMs)]);
    if (checked.status === 'rejected' && reached.status === 'fulfilled') reached.value.destroy();
    if (checked.status === 'rejected') throw checked.reason as Error;
    if (reached.status === 'rejected') throw reached.reason as Error;
    return await new Tunnel(reached.value, proxy, options).open(authority, startedMs);
  } catch (error) {
    if (error instanceof ProxyUnavailableError && error.isSure) health.failed(error.message);
    throw error;
  }
}

/** One CONNECT over a socket that has reached the proxy. */
class Tunnel {
  private readonly opened = Promise.withResolvers<Socket>();
  private readonly timers: NodeJS.Timeout[] = [];
  private head = Buffer.alloc(0);
  private isSettled = false;

  constructor(
    private readonly socket: Socket,
    private readonly proxy: URL,
    private readonly options: Pick<TunnelOptions, 'timeoutMs' | 'health'>,
  ) {}

  open(authority: string, startedMs: number): Promise<Socket> {
    const { timeoutMs } = this.options;
    const passedMs = performance.now() - startedMs;
    const at = (ms: number, act: () => void): unknown => this.timers.push(setTimeout(act, Math.max(0, ms - passedMs)));
    at(timeoutMs, () => this.fail(tookTooLong()));
    if (timeoutMs * PROBE_PART >= LEAST_PROBE_MS) at(timeoutMs * SILENT_PART, () => void this.silent(startedMs));
    this.socket.on('data', this.read).on('close', this.closed);
    if (this.socket.destroyed) this.closed();
    else this.socket.write(requestFor(this.proxy, authority));
    return this.opened.promise;
  }

  private readonly read = (bytes: Buffer): void => {
    this.head = Buffer.concat([this.head, bytes]);
    const end = this.head.indexOf('\r\n\r\n');
    if (end >= 0) this.answered(end + 4);
    else if (this.head.length > MAX_HEAD_BYTES) this.fail(noHttp());
  };

  private answered(headBytes: number): void {
    const status = STATUS.exec(this.head.toString('latin1'))?.[1];
    if (status === undefined) return this.fail(noHttp());
    if (status === PROXY_AUTHENTICATION_REQUIRED) return this.fail(unauthorized());
    this.options.health.answered();
    if (!status.startsWith('2')) return this.fail(new ProxyError(`the proxy answered ${status}`));
    this.stop();
    this.socket.pause();
    if (this.head.length > headBytes) this.socket.unshift(this.head.subarray(headBytes));
    this.opened.resolve(this.socket);
  }

  /** Some proxies close the connection where others answer 403. */
  private readonly closed = (): void => {
    const why = 'the proxy closed the connection without an answer';
    void probeProxy(this.proxy, this.probeMs).then((life) =>
      this.fail(life === 'answers' ? new ProxyError(why) : new ProxyUnavailableError(why)),
    );
  };

  /** A host that does not answer keeps the proxy from answering too. */
  private async silent(startedMs: number): Promise<void> {
    if (this.options.health.hasAnsweredSince(startedMs)) return;
    const life = await probeProxy(this.proxy, this.probeMs);
    if (life === 'fails') this.fail(new ProxyUnavailableError('the proxy does not answer'));
  }

  private get probeMs(): number {
    return Math.max(LEAST_PROBE_MS, Math.min(this.options.timeoutMs * PROBE_PART, MOST_PROBE_MS));
  }

  private fail(error: Error): void {
    if (this.isSettled) return;
    this.stop();
    this.socket.destroy();
    this.opened.reject(error);
  }

  private stop(): void {
    this.isSettled = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.socket.off('data', this.read).off('close', this.closed);
  }
}

const unauthorized = (): Error =>
  new ProxyUnavailableError('the proxy refuses the credentials in DESTINATIONS_PROXY_URL (407)');
const noHttp = (): Error => new ProxyUnavailableError('the proxy does not answer with HTTP');
const tookTooLong = (): Error => Object.assign(new Error('connecting timed out'), { code: 'ETIMEDOUT' });

function requestFor({ username, password }: URL, authority: string): string {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization = `Proxy-Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${credentials === ':' ? '' : authorization}\r\n`;
}
