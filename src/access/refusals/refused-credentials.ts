import { Inject, Injectable, Logger } from '@nestjs/common';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { Metrics } from '../../observability/metrics';
import { WINDOW_MS, wholeMs } from '../../redis/window-counter';
import { addressKey, plainAddress } from '../identity/networks';

/** Addresses that are counted at a time. Beyond it, the oldest are forgotten. */
const MAX_ADDRESSES = 10_000;
const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

/**
 * Why credentials were refused. `unknown`: no credential has this id, or it was revoked. `wrong`: the secret does not
 * match. `address`: the key may not be used from there. Most reasons are for operators and not told to the caller.
 */
export type RefusalReason = 'missing' | 'malformed' | 'unknown' | 'wrong' | 'expired' | 'oidc' | 'address';

/** What was refused. */
interface Refused {
  kind: 'key' | 'operator';
  reason: RefusalReason;
  address: string;
  /** The public id of the credential, if it has one. */
  id: string | undefined;
}

/**
 * Counts refused credentials per address, apart from admitted requests: however many wrong ones come from an address,
 * right ones are admitted. Beyond ADMIN_RATE_LIMIT_PER_MINUTE, wrong ones get 429. Unknown, revoked and mistyped
 * credentials get the same response. The first of an address and minute is logged.
 */
@Injectable()
export class RefusedCredentials {
  private readonly logger = new Logger('Access');
  /** In the order in which the minutes began. */
  private readonly minutes = new Map<string, { count: number; endsAtMs: number }>();

  constructor(
    private readonly metrics: Metrics,
    @Inject(SETTINGS_TOKEN) private readonly settings: Pick<Settings, 'ADMIN_RATE_LIMIT_PER_MINUTE'>,
  ) {}

  /** Returns the problem to send: `api-key-invalid` or `admin-token-invalid`, or a 429 after too many of them. */
  problem({ kind, reason, address, id }: Refused): Problem {
    this.count(kind, reason);
    const minute = this.minuteOf(addressKey(address));
    minute.count += 1;
    if (minute.count === 1) {
      const from = plainAddress(address);
      this.logger.warn({ msg: 'access.credential-refused', kind, reason, address: from, credentialId: id });
    }
    const most = this.settings.ADMIN_RATE_LIMIT_PER_MINUTE;
    if (minute.count > most) return tooMany(kind, most, minute.endsAtMs);
    return kind === 'key' ? invalidKey() : invalidToken();
  }

  /** @throws Problem `admin-rate-limited` if wrong ones of the address get it too: for checks that cost others something */
  requireFewFrom(address: string): void {
    const minute = this.minutes.get(addressKey(address));
    const most = this.settings.ADMIN_RATE_LIMIT_PER_MINUTE;
    if (minute && minute.endsAtMs > wholeMs() && minute.count >= most) throw tooMany('operator', most, minute.endsAtMs);
  }

  /** Counts a refusal that is no guess, such as an expired key: it does not count towards the limit of its address. */
  count(kind: Refused['kind'], reason: RefusalReason): void {
    this.metrics.authFailures.inc({ kind, reason });
  }

  private minuteOf(key: string): { count: number; endsAtMs: number } {
    const nowMs = wholeMs();
    const known = this.minutes.get(key);
    if (known && known.endsAtMs > nowMs) return known;
    const fresh = { count: 0, endsAtMs: nowMs + WINDOW_MS };
    this.minutes.delete(key);
    this.minutes.set(key, fresh);
    for (const [oldest, { endsAtMs }] of this.minutes) {
      if (endsAtMs > nowMs && this.minutes.size <= MAX_ADDRESSES) break;
      this.minutes.delete(oldest);
    }
    return fresh;
  }
}

export const invalidKey = (): Problem =>
  new Problem('api-key-invalid', 'The API key is not valid.', { headers: CHALLENGE });

/** Also for a request without credentials, which is not counted: it is no guess. */
export const invalidToken = (): Problem => new Problem('admin-token-invalid', INVALID_TOKEN, { headers: CHALLENGE });

const INVALID_TOKEN =
  'Send an operator token or ADMIN_TOKEN in X-Admin-Token, or an operator token or OIDC token as Authorization: Bearer.';

function tooMany(kind: Refused['kind'], most: number, endsAtMs: number): Problem {
  const code = kind === 'key' ? 'tenant-rate-limited' : 'admin-rate-limited';
  return new Problem(code, `This address has sent more than ${most} refused credentials in a minute.`, {
    retryAfterSeconds: Math.max(1, Math.ceil((endsAtMs - wholeMs()) / 1000)),
  });
}
