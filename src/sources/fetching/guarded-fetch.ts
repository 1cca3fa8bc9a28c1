import { Injectable } from '@nestjs/common';
import { Client } from 'undici';
import { AddressGuard } from '../../destinations/address/address-guard';
import type { AllowedUrl } from './allowed-url';

/** For the whole answer, from the look-up of the name on. */
export const FETCH_TIMEOUT_MS = 5_000;
const MAX_BYTES = 65_536;
/** Requests name the URLs. These limits bound what strangers can make this process fetch. */
const MAX_RUNNING = 4;
const MAX_PER_MINUTE = 60;
const MINUTE_MS = 60_000;
/** Places whose fetches are counted. Operators choose them, so that there are few. */
const MAX_PLACES = 1_000;

export interface FetchedAnswer {
  status: number;
  text: string;
}

/** Nothing was fetched, or not all of it. */
export class FetchFailedError extends Error {
  override readonly name = 'FetchFailedError';
}

interface Use {
  running: number;
  sinceMs: number;
  inMinute: number;
}

/**
 * Fetches from the allowed places of a provider: by https, from public addresses, without following redirects, and a
 * limited number of times for each place.
 */
@Injectable()
export class GuardedFetch {
  private readonly uses = new Map<string, Use>();

  constructor(private readonly guard: AddressGuard) {}

  /** @throws FetchFailedError */
  async get({ href, place }: AllowedUrl): Promise<FetchedAnswer> {
    const use = this.useOf(place, performance.now());
    if (use.running >= MAX_RUNNING || use.inMinute >= MAX_PER_MINUTE) {
      throw new FetchFailedError(`Too much is being fetched from ${place}.`);
    }
    use.running++;
    use.inMinute++;
    try {
      return await this.fetch(new URL(href));
    } catch (error) {
      throw new FetchFailedError(`${href} cannot be fetched.`, { cause: error });
    } finally {
      use.running--;
    }
  }

  private async fetch(url: URL): Promise<FetchedAnswer> {
    this.guard.checkLiteral(url);
    // A connection of its own for each fetch: fetches are rare, and a pool would keep something for every host.
    const client = new Client(url.origin, { connect: this.guard.connector(FETCH_TIMEOUT_MS) });
    try {
      const { statusCode, body } = await client.request({
        path: url.pathname + url.search,
        method: 'GET',
        headers: { 'user-agent': 'StreamForge-Webhooks/1' },
        signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
      });
      return { status: statusCode, text: await readAll(body) };
    } finally {
      await client.destroy();
    }
  }

  private useOf(place: string, nowMs: number): Use {
    let use = this.uses.get(place);
    if (!use) {
      this.forgetIdle(nowMs);
      use = { running: 0, sinceMs: nowMs, inMinute: 0 };
      this.uses.set(place, use);
    } else if (nowMs - use.sinceMs >= MINUTE_MS) Object.assign(use, { sinceMs: nowMs, inMinute: 0 });
    return use;
  }

  private forgetIdle(nowMs: number): void {
    if (this.uses.size < MAX_PLACES) return;
    for (const [place, { running, sinceMs }] of this.uses) {
      if (running === 0 && nowMs - sinceMs >= MINUTE_MS) this.uses.delete(place);
    }
  }
}

async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new Error(`The answer has more than ${MAX_BYTES} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
