import { Injectable, Logger } from '@nestjs/common';
import { Problem } from '../event/problems';
import { Metrics } from '../observability/metrics';
import { WINDOW_MS } from '../redis/window-counter';
import { addressKey } from './identity/networks';

/** Refused credentials that an address may send per minute. Beyond it they are refused with 429. */
const MOST_PER_MINUTE = 20;
/** Addresses that are counted at a time. Beyond it, the oldest are forgotten. */
const MAX_ADDRESSES = 10_000;
const CHALLENGE = { 'WWW-Authenticate': 'Bearer' };

/** What was refused. */
interface Refused {
  kind: 'key' | 'operator';
  address: string;
  /** The public id of the credential, if it has one. */
  id: string | undefined;
}

/**
 * Counts refused credentials per address, apart from everything else: however many wrong ones come from an address,
 * right ones are admitted. Unknown, revoked and mistyped credentials get the same response.
 */
@Injectable()
export class RefusedCredentials {
  private readonly logger = new Logger('Access');
  /** In the order in which the minutes began. */
  private readonly minutes = new Map<string, { count: number; endsAtMs: number }>();

  constructor(private readonly metrics: Metrics) {}

  /** Returns the problem to send: `api-key-invalid` or `admin-token-invalid`, or a 429 after too many of them. */
  problem({ kind, address, id }: Refused): Problem {
    this.metrics.refusedCredentials.inc({ kind });
    const minute = this.minuteOf(addressKey(address));
    minute.count += 1;
    if (minute.count === 1) this.logger.warn({ msg: 'access.credential-refused', kind, address, credentialId: id });
    if (minute.count > MOST_PER_MINUTE) return tooMany(kind, minute.endsAtMs);
    return kind === 'key'
      ? new Problem('api-key-invalid', 'The API key is not valid.', { headers: CHALLENGE })
      : new Problem('admin-token-invalid', INVALID_TOKEN, { headers: CHALLENGE });
  }

  private minuteOf(key: string): { count: number; endsAtMs: number } {
    const nowMs = Date.now();
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

const INVALID_TOKEN = 'Send an operator token or the admin token in X-Admin-Token, or as Authorization: Bearer.';

function tooMany(kind: Refused['kind'], endsAtMs: number): Problem {
  const code = kind === 'key' ? 'tenant-rate-limited' : 'admin-rate-limited';
  return new Problem(code, `This address has sent more than ${MOST_PER_MINUTE} refused credentials in a minute.`, {
    retryAfterSeconds: Math.max(1, Math.ceil((endsAtMs - Date.now()) / 1000)),
  });
}
