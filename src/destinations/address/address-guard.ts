import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Inject, Injectable, Optional } from '@nestjs/common';
import { buildConnector } from 'undici';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { ProxyHealth } from '../../observability/proxy-health';
import { withinDeadline } from '../../runtime/deadline';
import { tunnelConnector } from '../http/proxy-tunnel';
import type { Resolve } from '../names/resolve-names';
import { isAllowedPrivateAddress, isPublicAddress, literalAddress } from './address-rules';

/** Nest token of the resolver. Tests provide their own. */
export const RESOLVE = Symbol('Resolve');

/** Says what was refused, but not which address: it could tell a tenant about the network. */
export const NOT_ALLOWED =
  'its host has an address that is not public (private, loopback, …) and not in DESTINATIONS_ALLOWED_CIDRS';

/** Behind a proxy, only the proxy may know a name. A look-up takes at most this part of the time, and this long. */
const PART_BEHIND_PROXY = 1 / 4;
const MOST_BEHIND_PROXY_MS = 1_000;
/** A name that could not be resolved here is left to the proxy for this long. */
const UNKNOWN_MS = 60_000;
const MOST_UNKNOWN = 1_000;

export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'ADDRESS_REFUSED';
}

/**
 * Keeps destinations out of networks that only StreamForge can reach. A name is checked by its current addresses, and
 * the connection is made to exactly those. A name that changes its address in between (DNS rebinding) therefore gains
 * nothing. One refused address refuses the name.
 *
 * Behind DESTINATIONS_PROXY_URL the connection is made by the proxy, which resolves the name itself. What is known here of
 * its addresses is checked all the same, but the last word is the proxy's: it has to refuse private networks.
 */
@Injectable()
export class AddressGuard {
  /** Running look-ups by name: whoever needs the same name meanwhile waits for the same answer. */
  private readonly pending = new Map<string, Promise<LookupAddress[]>>();
  /** Until when names are left to the proxy, in ms of performance.now(). */
  private readonly unknownUntilMs = new Map<string, number>();

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'DESTINATIONS_ALLOW_PRIVATE' | 'DESTINATIONS_ALLOWED_CIDRS'> &
      Partial<Pick<Settings, 'DESTINATIONS_PROXY_URL'>>,
    @Inject(RESOLVE) private readonly resolve: Resolve,
    @Optional() private readonly proxyHealth: ProxyHealth = new ProxyHealth(),
  ) {}

  /** The proxy has just failed, so that nothing can be reached. */
  get isCutOff(): boolean {
    return this.proxyHealth.pausedBy() !== undefined;
  }

  /**
   * Checks the host of a URL.
   * @param timeoutMs of the connection that is to be made; behind a proxy, a look-up takes a part of it
   * @throws AddressRefusedError, or the error of the resolver
   */
  async check(url: URL, timeoutMs = Infinity): Promise<void> {
    this.checkLiteral(url);
    if (literalAddress(url) !== undefined) return;
    if (this.settings.DESTINATIONS_PROXY_URL === undefined) {
      await this.addressesOf(url.hostname);
      return;
    }
    await this.checkIfKnown(url.hostname, Math.min(timeoutMs * PART_BEHIND_PROXY, MOST_BEHIND_PROXY_MS));
  }

  /** Connects to hosts that may be connected to, through the proxy if there is one. Call `checkLiteral` before. */
  connector(timeoutMs: number): buildConnector.connector {
    const { DESTINATIONS_PROXY_URL: proxy } = this.settings;
    if (proxy === undefined) return buildConnector({ lookup: this.lookup, timeout: timeoutMs });
    const check = (url: URL): Promise<void> => this.check(url, timeoutMs);
    return tunnelConnector({ proxyUrl: proxy, timeoutMs, health: this.proxyHealth, check });
  }

  /** Checks a host that is an address; names pass. Call it before every connection: addresses never reach `lookup`. */
  checkLiteral(url: URL): void {
    const address = literalAddress(url);
    if (address !== undefined) this.checkAddresses([{ address, family: 0 }]);
  }

  /** The `lookup` option of net.connect and tls.connect. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.addressesOf(hostname).then(
      (all) => {
        const wanted = all.filter(({ family }) => !options.family || family === Number(options.family));
        const [first] = wanted;
        if (!first) callback(new Error(`${hostname} has no address`), '');
        else if (options.all) callback(null, wanted);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };

  /** Where only the proxy may know the name, any other failure than a refused address says nothing. */
  private async checkIfKnown(hostname: string, mostMs: number): Promise<void> {
    if (performance.now() < (this.unknownUntilMs.get(hostname) ?? 0)) return;
    try {
      await withinDeadline(mostMs, this.addressesOf(hostname), { unref: true });
      this.unknownUntilMs.delete(hostname);
    } catch (error) {
      if (error instanceof AddressRefusedError) throw error;
      this.leaveToProxy(hostname);
    }
  }

  private leaveToProxy(hostname: string): void {
    this.unknownUntilMs.delete(hostname); // to the end of the map, which begins with the oldest
    this.unknownUntilMs.set(hostname, performance.now() + UNKNOWN_MS);
    const [oldest] = this.unknownUntilMs.keys();
    if (this.unknownUntilMs.size > MOST_UNKNOWN && oldest !== undefined) this.unknownUntilMs.delete(oldest);
  }

  private async addressesOf(hostname: string): Promise<LookupAddress[]> {
    let pending = this.pending.get(hostname);
    if (!pending) {
      pending = this.resolve(hostname).finally(() => this.pending.delete(hostname));
      this.pending.set(hostname, pending);
    }
    const addresses = await pending;
    this.checkAddresses(addresses);
    return addresses;
  }

  private checkAddresses(addresses: readonly LookupAddress[]): void {
    const { DESTINATIONS_ALLOW_PRIVATE: all, DESTINATIONS_ALLOWED_CIDRS: networks } = this.settings;
    const isAllowed = (address: string) => isPublicAddress(address) || isAllowedPrivateAddress(address, networks);
    if (all || addresses.every(({ address }) => isAllowed(address))) return;
    throw new AddressRefusedError(NOT_ALLOWED);
  }
}
