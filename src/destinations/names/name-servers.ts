import { Resolver } from 'node:dns/promises';
import { setImmediate as afterPolling, setTimeout as sleep } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';

/** Each query is sent at most so many times to each server, with this wait after the first time. In ms. */
const TIMEOUT_MS = 1_000;
const TRIES = 2;
/** For all queries of one look-up, however many servers and suffixes there are. In ms. */
export const LOOK_UP_MS = 5_000;
/** Once there are IPv4 addresses, those of IPv6 are waited for no longer: the Resolution Delay of RFC 8305. In ms. */
const IPV6_DELAY_MS = 50;

export interface FoundAddress {
  address: string;
  family: 4 | 6;
  ttlSeconds: number;
}

/** A look-up without an address. `code`: ENOTFOUND, ETIMEOUT, or what the name servers answered. */
export class NameError extends Error {
  override readonly name = 'NameError';

  constructor(
    message: string,
    readonly code: string,
  ) {
    super(message);
  }
}

/** The name has no address; another name may have one. */
const NO_ADDRESS = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME']);

/**
 * Asks name servers. c-ares sends the queries from the event loop: unlike getaddrinfo, they take no thread of libuv's
 * pool, so that silent name servers hold up nothing but the look-ups that wait for them.
 */
export class NameServers {
  private readonly resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });

  /** @param servers addresses with or without a port; none: those of the system */
  constructor(servers: readonly string[] = []) {
    if (servers.length > 0) this.resolver.setServers(servers);
  }

  /**
   * Returns the addresses of the first name that has any, IPv4 before IPv6. CNAMEs are followed by the name servers.
   *
   * @throws NameError
   */
  async addressesOf(names: readonly string[]): Promise<FoundAddress[]> {
    let late: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      late = setTimeout(
        () => reject(new NameError(`no name server answered within ${LOOK_UP_MS} ms`, 'ETIMEOUT')),
        LOOK_UP_MS,
      );
    });
    try {
      return await Promise.race([this.firstOf(names), deadline]);
    } finally {
      clearTimeout(late);
    }
  }

  private async firstOf(names: readonly string[]): Promise<FoundAddress[]> {
    let failure: NameError | undefined;
    for (const name of names) {
      try {
        const found = await this.ask(name);
        if (found.length > 0) return found;
      } catch (error) {
        // The servers of one suffix may not work: as the resolver of the system does, ask for the next name.
        if (!(error instanceof NameError)) throw error;
        failure ??= error;
      }
    }
    throw failure ?? new NameError('the name has no address', 'ENOTFOUND');
  }

  /**
   * Returns nothing for a name without addresses. A failure of one family does not matter if the other has some. Behind
   * some firewalls, servers never answer for IPv6. What they say of it too late is not used: only addresses that this
   * returns are, and the guard checks all of them.
   */
  private async ask(name: string): Promise<FoundAddress[]> {
    const asked6 = outcomeOf(this.resolver.resolve6(name, { ttl: true }));
    const four = await outcomeOf(this.resolver.resolve4(name, { ttl: true }));
    const hasFour = four.status === 'fulfilled' && four.value.length > 0;
    const six = await (hasFour ? Promise.race([asked6, tooLateForIpv6()]) : asked6);
    const found: FoundAddress[] = [];
    if (four.status === 'fulfilled') {
      for (const { address, ttl } of four.value) found.push({ address, family: 4, ttlSeconds: ttl });
    }
    if (six?.status === 'fulfilled') {
      for (const { address, ttl } of six.value) found.push({ address, family: 6, ttlSeconds: ttl });
    }
    if (found.length > 0) return found;
    for (const result of [four, six]) if (result?.status === 'rejected') throwUnlessMissing(result.reason);
    return [];
  }
}

/** Never rejects. */
async function outcomeOf<T>(asked: Promise<T>): Promise<PromiseSettledResult<T>> {
  const [outcome] = await Promise.allSettled([asked]);
  return outcome;
}

/** On a busy machine, an answer may have arrived meanwhile and not have been read: it is read before this ends. */
async function tooLateForIpv6(): Promise<undefined> {
  await sleep(IPV6_DELAY_MS);
  await afterPolling();
}

function throwUnlessMissing(error: unknown): void {
  const code = isNativeError(error) && 'code' in error ? String(error.code) : undefined;
  if (code !== undefined && NO_ADDRESS.has(code)) return;
  if (code === 'ETIMEOUT') throw new NameError('the name servers did not answer', code);
  if (code === 'ESERVFAIL' || code === 'EREFUSED') throw new NameError('the name servers could not answer', code);
  throw error;
}
