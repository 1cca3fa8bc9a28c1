import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { buildConnector } from 'undici';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { withinDeadline } from '../../runtime/deadline';
import { tunnelConnector } from '../http/proxy-tunnel';
import type { Resolve } from '../names/resolve-names';
import { isAllowedPrivateAddress, isPublicAddress, literalAddress } from './address-rules';

/** Nest token of the resolver. Tests provide their own. */
export const RESOLVE = Symbol('Resolve');

/** Says what was refused, but not which address: it could tell a tenant about the network. */
export const NOT_ALLOWED =
  'its host has an address that is not public (private, loopback, …) and not in DESTINATIONS_ALLOWED_CIDRS';

/** Behind a proxy, names may be known to the proxy only. */
const RESOLVE_BEHIND_PROXY_MS = 1_000;

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

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'DESTINATIONS_ALLOW_PRIVATE' | 'DESTINATIONS_ALLOWED_CIDRS'> &
      Partial<Pick<Settings, 'DESTINATIONS_PROXY_URL'>>,
    @Inject(RESOLVE) private readonly resolve: Resolve,
  ) {}

  /** Checks the host of a URL. @throws AddressRefusedError, or the error of the resolver. */
  async check(url: URL): Promise<void> {
    this.checkLiteral(url);
    if (literalAddress(url) !== undefined) return;
    if (this.settings.DESTINATIONS_PROXY_URL === undefined) {
      await this.addressesOf(url.hostname);
      return;
    }
    try {
      await withinDeadline(RESOLVE_BEHIND_PROXY_MS, this.addressesOf(url.hostname), { unref: true });
    } catch (error) {
      if (error instanceof AddressRefusedError) throw error; // otherwise only the proxy may know the name
    }
  }

  /** Connects to hosts that may be connected to, through the proxy if there is one. Call `checkLiteral` before. */
  connector(timeoutMs: number): buildConnector.connector {
    const { DESTINATIONS_PROXY_URL: proxy } = this.settings;
    if (proxy === undefined) return buildConnector({ lookup: this.lookup, timeout: timeoutMs });
    return tunnelConnector(proxy, timeoutMs, (url) => this.check(url));
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
