import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { isPublicAddress, literalAddress } from './address-rules';

/** All addresses of a name, in the order in which they should be tried. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Nest token of the Resolve; tests bring their own. */
export const RESOLVE = Symbol('Resolve');

export const resolveBySystem: Resolve = (hostname) => lookup(hostname, { all: true });

export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'ADDRESS_REFUSED';
}

/**
 * Keeps destinations away from networks that only StreamForge can reach. A name is judged by the addresses that it has
 * at that moment, and the connection is made to exactly these, so a name that changes its address in between (DNS
 * rebinding) gains nothing. One refused address refuses the name.
 */
@Injectable()
export class AddressGuard {
  /** Lookups under way: the system's resolver has few threads, and one slow name must not take them all. */
  private readonly pending = new Map<string, Promise<LookupAddress[]>>();
  private readonly allowPrivate: boolean;

  constructor(
    @Inject(SETTINGS_TOKEN) settings: Pick<Settings, 'DESTINATIONS_ALLOW_PRIVATE'>,
    @Inject(RESOLVE) private readonly resolve: Resolve,
  ) {
    this.allowPrivate = settings.DESTINATIONS_ALLOW_PRIVATE;
  }

  /** @throws AddressRefusedError, or the resolver's error */
  async check(url: URL): Promise<void> {
    this.checkLiteral(url);
    if (literalAddress(url) === undefined) await this.addressesOf(url.hostname);
  }

  /** Names are not looked at. Needed before every connection: for an address, no lookup is made. */
  checkLiteral(url: URL): void {
    const address = literalAddress(url);
    if (address !== undefined) this.checkAddresses([{ address, family: 0 }]);
  }

  /** For net.connect and tls.connect. */
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
    if (this.allowPrivate || addresses.every(({ address }) => isPublicAddress(address))) return;
    throw new AddressRefusedError('it has an address that destinations may not have (private, loopback, …)');
  }
}
