import { isIPv6 } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { ADMIN_LIMITER } from '../redis/shared-limiter';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { hasAdminToken } from './admin-token';
import { allowanceHeaders } from './allowance';

/** Who acts, as the audit trail names it. There is one token; a second one would bring its own name. */
export const ADMIN_ACTOR = 'admin';

/**
 * Lets holders of the admin token through. The limit comes before the comparison, so that guesses are counted whether
 * they are right or wrong. It is one count per address over all api processes: a count for everybody together would let
 * anyone lock the operators out by guessing. Behind a proxy all callers have one address, and so one count.
 */
@Injectable()
export class AdminAccess {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(ADMIN_LIMITER) private readonly limiter: RateLimiterAbstract,
  ) {}

  /** @throws Problem `admin-rate-limited` or `admin-token-invalid` */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const limit = this.settings.ADMIN_RATE_LIMIT_PER_MINUTE;
    const { remainingPoints, msBeforeNext, consumedPoints } = await this.consume(addressKey(request.ip));
    const resetSeconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
    reply.headers(allowanceHeaders({ limit, remaining: Math.max(0, remainingPoints), resetSeconds }));
    if (consumedPoints > limit) {
      throw new Problem('admin-rate-limited', `An address may send ${limit} admin requests per minute.`, {
        retryAfterSeconds: resetSeconds,
      });
    }
    if (!hasAdminToken(request.headers, this.settings.ADMIN_TOKEN)) {
      throw new Problem('admin-token-invalid', 'Send the admin token as X-Admin-Token.');
    }
  }

  private async consume(key: string): Promise<RateLimiterRes> {
    try {
      return await this.limiter.consume(key);
    } catch (error) {
      if (error instanceof RateLimiterRes) return error; // "too many" is thrown, not returned
      throw error;
    }
  }
}

/** IPv6 callers hold whole networks of addresses, so they are counted by their /64. */
export function addressKey(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address.replace('::ffff:', '');
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string): string[] => (text === '' ? [] : text.split(':'));
  const zeros = new Array<string>(Math.max(0, 8 - groups(head).length - groups(tail).length)).fill('0');
  const all = address.includes('::') ? [...groups(head), ...zeros, ...groups(tail)] : groups(address);
  return `${all.slice(0, 4).join(':')}::/64`;
}
