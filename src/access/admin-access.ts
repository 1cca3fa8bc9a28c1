import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import * as ipaddr from 'ipaddr.js';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { sha256 } from '../event/identity/content-hash';
import { Problem } from '../event/problems';
import { ADMIN_COUNTER, type WindowCounter } from '../redis/window-counter';
import { AdminToken } from './admin-token';
import { allowanceHeaders } from './allowance';

/** The actor in the audit trail. There is only one admin token, so there is only one name. */
export const ADMIN_ACTOR = 'admin';

/**
 * Admits requests with the admin token. A request counts against the limit before its token is compared, so wrong
 * guesses are limited too. All api processes share one count per address; with one count for all addresses, anyone
 * could lock the operators out by guessing. Callers behind one proxy share its address and therefore its count.
 */
@Injectable()
export class AdminAccess {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Settings,
    @Inject(ADMIN_COUNTER) private readonly counter: WindowCounter,
    private readonly token: AdminToken,
  ) {}

  /** @throws Problem `admin-rate-limited` or `admin-token-invalid`, or the error of PostgreSQL (AdminToken) */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const limit = this.settings.ADMIN_RATE_LIMIT_PER_MINUTE;
    const { granted, used, endsInMs } = await this.counter.take(addressKey(request.ip), 1, limit);
    const resetSeconds = Math.max(1, Math.ceil(endsInMs / 1000));
    reply.headers(allowanceHeaders({ limit, remaining: Math.max(0, limit - used), resetSeconds }));
    if (granted === 0) {
      throw new Problem('admin-rate-limited', `An address may send at most ${limit} admin requests per minute.`, {
        retryAfterSeconds: resetSeconds,
      });
    }
    if (!hasAdminToken(request.headers, await this.token.value())) {
      throw new Problem('admin-token-invalid', 'Send the admin token in the X-Admin-Token header.');
    }
  }
}

/**
 * True when the request sends the admin token exactly once. Node joins repeated headers to a text that never matches.
 */
export function hasAdminToken(headers: IncomingHttpHeaders, token: string): boolean {
  const sent = headers['x-admin-token'];
  return typeof sent === 'string' && isSameSecret(sent, token);
}

/** Compares digests in constant time, so that the duration reveals neither the content nor the length of the secret. */
export function isSameSecret(sent: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(sent)), Buffer.from(sha256(secret)));
}

/** Returns the key that counts the requests of an address: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressKey(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address); // turns an IPv4-mapped IPv6 address into IPv4
  if (parsed instanceof ipaddr.IPv4) return parsed.toString();
  const network = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(':')}::/64`;
}
