import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { AdminToken } from '../../access/admin-token';
import { servesConsole } from '../../config/exposure';
import { isLoopbackHost } from '../../config/loopback';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';

const CODE_BYTES = 24;
/** How long the printed link signs in. */
export const CODE_MINUTES = 15;
/** The code is invalidated after this many wrong ones. */
const MOST_WRONG = 5;

/**
 * The one-time code in the link that `npm start` prints, which the console exchanges for the admin token. Only the memory of
 * this process has its digest. There is a code where everything else is on this machine as well: with the embedded database,
 * on a loopback address, with the generated admin token, which the same lines of the terminal show.
 */
@Injectable()
export class SignInCode {
  private digest: Buffer | undefined;
  private endsAtMs = 0;
  private wrong = 0;

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'APP_ROLE' | 'DATABASE_URL' | 'HOST' | 'NODE_ENV'>,
    private readonly admin: AdminToken,
  ) {}

  /** Makes a code, which takes the place of an earlier one. Returns undefined where there is none. */
  issue(nowMs = performance.now()): string | undefined {
    if (!this.isAllowed()) return undefined;
    const code = randomBytes(CODE_BYTES).toString('base64url');
    this.digest = digestOf(code);
    this.endsAtMs = nowMs + CODE_MINUTES * 60_000;
    this.wrong = 0;
    return code;
  }

  /** Whether this is the code. It is invalidated by its use, and after too many wrong ones. */
  take(code: string, nowMs = performance.now()): boolean {
    if (this.digest === undefined) return false;
    const isRight = nowMs < this.endsAtMs && timingSafeEqual(digestOf(code), this.digest);
    if (!isRight) this.wrong += 1;
    if (isRight || this.wrong >= MOST_WRONG || nowMs >= this.endsAtMs) this.digest = undefined;
    return isRight;
  }

  private isAllowed(): boolean {
    const { DATABASE_URL, HOST, NODE_ENV } = this.settings;
    const isLocal = DATABASE_URL === undefined && isLoopbackHost(HOST) && NODE_ENV !== 'production';
    return isLocal && this.admin.isGenerated && servesConsole(this.settings);
  }
}

const digestOf = (code: string): Buffer => hash('sha256', code, 'buffer');
