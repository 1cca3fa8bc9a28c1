import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SETTINGS_TOKEN, type Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { KNOWN_OPERATORS } from '../http/known-sender';
import { timeOfDay } from '../event/time-of-day';
import { ADMIN_COUNTER, type WindowCounter } from '../redis/window-counter';
import { AdminToken } from './admin-token';
import { AccessDirectory } from './identity/access-directory';
import type { OperatorCaller } from './identity/caller';
import { hasDigest, looksLikeCredential, parseCredential, type SentCredential } from './identity/credential';
import { addressKey } from './identity/networks';
import { bearerToken } from './identity/sent-key';
import { LastUsed } from './last-used';
import { requireNeeded, type NeededRole } from './least-role';
import { allowanceHeaders } from './limits/allowance';
import { OidcTokens } from './oidc/oidc-tokens';
import { RefusedAttempts } from './refusals/refused-attempts';
import { invalidToken, RefusedCredentials, type RefusalReason } from './refusals/refused-credentials';

/** The holder of ADMIN_TOKEN. No operator may have this name. */
export const ADMIN: OperatorCaller = { kind: 'operator', id: null, name: 'admin', role: 'owner', tenantIds: null };

/** Finds out which operator sends a request. */
@Injectable()
export class OperatorIdentity {
  constructor(
    private readonly admin: AdminToken,
    private readonly directory: AccessDirectory,
    private readonly lastUsed: LastUsed,
    private readonly oidc: OidcTokens,
  ) {}

  /** Whether a request has credentials that could be an operator's, right or wrong. */
  isClaimed(headers: IncomingHttpHeaders): boolean {
    if (headers['x-admin-token'] !== undefined) return true;
    const bearer = bearerToken(headers);
    return bearer !== undefined && (bearer.startsWith('sfa_') || this.oidc.isAddressedHere(bearer));
  }

  /**
   * Returns the operator, or why the credentials of the request are refused.
   * @throws Problem `issuer-unavailable`, or the error of PostgreSQL when the directory or the generated admin token
   * cannot be read
   */
  async of(headers: IncomingHttpHeaders): Promise<OperatorCaller | RefusalReason> {
    const text = sentToken(headers);
    if (text === undefined) return 'missing';
    const sent = parseCredential(text);
    if (sent) return this.holderOf(sent);
    // ADMIN_TOKEN is taken from X-Admin-Token only, and a token of the OIDC issuer from Authorization only.
    if (headers['x-admin-token'] === undefined) return (await this.oidc.operatorOf(text)) ?? refusalOf(text, 'oidc');
    return isSameSecret(text, await this.admin.value()) ? ADMIN : refusalOf(text, 'wrong');
  }

  private async holderOf(sent: SentCredential): Promise<OperatorCaller | RefusalReason> {
    await this.directory.ensureFresh();
    const row = sent.kind === 'sfa' ? this.directory.operator(sent.id) : undefined;
    if (!hasDigest(sent, row?.digest) || !row) return row ? 'wrong' : 'unknown';
    if (row.expiresAt !== null && row.expiresAt <= timeOfDay().toISOString()) return 'expired';
    this.lastUsed.note('operator', row.id);
    const { id, name, role, tenantIds } = row;
    return { kind: 'operator', id, name, role, tenantIds };
  }
}

/**
 * Admits operators, and limits their requests per address. All api processes share one count per address. Callers
 * behind one proxy share its address and therefore its count. Refused credentials are counted apart
 * (refusals/refused-credentials.ts).
 */
@Injectable()
export class OperatorAccess {
  constructor(
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'ADMIN_RATE_LIMIT_PER_MINUTE'>,
    @Inject(ADMIN_COUNTER) private readonly counter: WindowCounter,
    private readonly identity: OperatorIdentity,
    private readonly refused: RefusedCredentials,
    private readonly attempts: RefusedAttempts,
  ) {}

  /** Whether a request has credentials that could be an operator's, right or wrong. */
  isClaimed(headers: IncomingHttpHeaders): boolean {
    return this.identity.isClaimed(headers);
  }

  /**
   * Returns the operator, who is also stored in the request.
   * @throws Problem `admin-token-invalid`, `admin-rate-limited` or `issuer-unavailable`, or the error of PostgreSQL
   */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<OperatorCaller> {
    const operator = await this.identity.of(request.headers);
    if (typeof operator === 'string') throw this.refusal(operator, request);
    await this.charge(request.ip, reply);
    request.caller = operator;
    request.knownAs = KNOWN_OPERATORS;
    return operator;
  }

  /**
   * As `check`, for an admin endpoint and the role that it needs. Refused requests are recorded in the audit trail.
   * @throws Problem as `check`, or `role-insufficient`
   */
  async admit(request: FastifyRequest, reply: FastifyReply, needed: NeededRole): Promise<void> {
    const operator = await this.check(request, reply);
    try {
      requireNeeded(operator, needed);
    } catch (error) {
      this.attempts.note({ ...factsOf(request), reason: 'role', operator });
      throw error;
    }
  }

  /**
   * Checks an admitted operator again, after the body was read, and stores the operator as of now in the request.
   * @throws Problem `admin-token-invalid`, `role-insufficient` or `issuer-unavailable`, or the error of PostgreSQL
   */
  async checkAgain(request: FastifyRequest): Promise<void> {
    const operator = await this.identity.of(request.headers);
    if (typeof operator === 'string') throw invalidToken(); // it was right when it was sent, so it does not count as refused
    const { needed } = request.routeOptions.config;
    if (needed) requireNeeded(operator, needed);
    request.caller = operator;
  }

  private refusal(reason: RefusalReason, request: FastifyRequest): Problem {
    const id = parseCredential(sentToken(request.headers) ?? '')?.id;
    if (request.routeOptions.config.needed) this.attempts.note({ ...factsOf(request), reason, credentialId: id });
    if (reason !== 'missing') {
      return this.refused.problem({ kind: 'operator', reason, address: request.ip, id });
    }
    this.refused.count('operator', reason);
    return invalidToken();
  }

  private async charge(address: string, reply: FastifyReply): Promise<void> {
    const limit = this.settings.ADMIN_RATE_LIMIT_PER_MINUTE;
    const { granted, used, endsInMs } = await this.counter.take(addressKey(address), 1, limit);
    const resetSeconds = Math.max(1, Math.ceil(endsInMs / 1000));
    reply.headers(allowanceHeaders({ limit, remaining: Math.max(0, limit - used), resetSeconds }));
    if (granted > 0) return;
    throw new Problem('admin-rate-limited', `An address may send at most ${limit} admin requests per minute.`, {
      retryAfterSeconds: resetSeconds,
    });
  }
}

const factsOf = ({ ip, id, method, routeOptions }: FastifyRequest) => ({
  address: ip,
  correlationId: id,
  endpoint: `${method} ${routeOptions.url ?? ''}`,
});

/** A text that claims to be a credential of ours and is none has a typo. */
const refusalOf = (text: string, otherwise: RefusalReason): RefusalReason =>
  looksLikeCredential(text) ? 'malformed' : otherwise;

/** X-Admin-Token comes first, because a proxy in front may use the Authorization header. */
function sentToken(headers: IncomingHttpHeaders): string | undefined {
  const sent = headers['x-admin-token'];
  return sent === undefined ? bearerToken(headers) : String(sent); // a repeated header becomes a text that never matches
}

/** Compares digests in constant time, so that the duration reveals neither the content nor the length of the secret. */
export function isSameSecret(sent: string, secret: string): boolean {
  return timingSafeEqual(hash('sha256', sent, 'buffer'), hash('sha256', secret, 'buffer'));
}
