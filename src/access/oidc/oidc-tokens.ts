import { Inject, Injectable, Logger } from '@nestjs/common';
import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import { timeOfDay } from '../../event/time-of-day';
import type { OperatorCaller } from '../identity/caller';
import { IssuerUnavailableError, issuerKeys, PAUSE_AFTER_FAILURE_MS } from './issuer-keys';
import { operatorFrom } from './operator-claims';

/** Signatures by a private key only: nobody can sign with what the issuer publishes. */
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
/** Clocks of the issuer and of this machine may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Finds out which operator holds a token of the OIDC issuer. Without OIDC_ISSUER, no token is right. */
@Injectable()
export class OidcTokens {
  private readonly logger = new Logger('Access');
  private readonly keys: JWTVerifyGetKey | undefined;

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'OIDC_ISSUER' | 'OIDC_AUDIENCE' | 'OIDC_ROLES'>,
  ) {
    this.keys = settings.OIDC_ISSUER === undefined ? undefined : issuerKeys(settings.OIDC_ISSUER);
  }

  /**
   * Whether a token says that the issuer made it for StreamForge. Nothing is verified. Other tokens may be a proxy's,
   * and cause no request to the issuer.
   */
  isAddressedHere(token: string): boolean {
    if (!this.keys) return false;
    const { iss, aud } = unverifiedClaims(token) ?? {};
    return iss === this.settings.OIDC_ISSUER && [aud].flat().includes(this.settings.OIDC_AUDIENCE);
  }

  /**
   * Returns undefined for a token that is wrong, expired or gives no role. A token without a role is as unknown as a
   * revoked one: nobody is told that it is otherwise right. The log says which it was.
   * @throws Problem `issuer-unavailable`
   */
  async operatorOf(token: string): Promise<OperatorCaller | undefined> {
    if (!this.keys || !this.isAddressedHere(token)) return undefined;
    try {
      const { payload } = await jwtVerify(token, this.keys, {
        issuer: this.settings.OIDC_ISSUER,
        audience: this.settings.OIDC_AUDIENCE,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate: timeOfDay(),
        requiredClaims: ['sub', 'exp'],
      });
      const operator = operatorFrom(payload, this.settings.OIDC_ROLES);
      if (!operator) this.report('no claim of it gives a role', payload);
      return operator;
    } catch (error) {
      return this.refuse(error);
    }
  }

  private refuse(error: unknown): undefined {
    // The claims of a token are checked after its signature: whoever guesses writes nothing into the log here.
    if (error instanceof errors.JWTClaimValidationFailed || error instanceof errors.JWTExpired) {
      this.report(error.message, error.payload);
      return undefined;
    }
    if (!isAboutTheKeys(error)) return undefined;
    if (!(error instanceof IssuerUnavailableError)) {
      this.logger.error({ msg: 'access.issuer-keys-unusable', issuer: this.settings.OIDC_ISSUER, err: error });
    }
    throw new Problem('issuer-unavailable', 'The token cannot be checked because the keys of its issuer are missing.', {
      retryAfterSeconds: PAUSE_AFTER_FAILURE_MS / 1000,
    });
  }

  private report(why: string, { sub }: JWTPayload): void {
    this.logger.warn({ msg: 'access.oidc-token-refused', sub, why });
  }
}

/** Whether an error is one of reading or using the keys of the issuer, not of the token. */
function isAboutTheKeys(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  return error instanceof errors.JWKSInvalid || error instanceof errors.JWKSTimeout;
}

function unverifiedClaims(token: string): JWTPayload | undefined {
  try {
    return decodeJwt(token);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}
