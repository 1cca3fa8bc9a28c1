import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OperatorCaller } from '../../access/identity/caller';
import { protectedUrl, readConfiguration, fetchText } from '../../access/oidc/issuer-configuration';
import { PAUSE_AFTER_FAILURE_MS, TIMEOUT_MS } from '../../access/oidc/issuer-keys';
import { OidcTokens } from '../../access/oidc/oidc-tokens';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import type { IssuerSignInRequest } from './sign-in.requests';
import type { IssuerOffer } from './sign-in.responses';

const KEPT_MS = 600_000;
const REPORT_EVERY_MS = 60_000;
const MOST_ERROR_LENGTH = 100;
/** Anybody may ask for an exchange. */
const MOST_EXCHANGES = 8;

interface Endpoints {
  authorizationUrl: string;
  tokenUrl: string;
}

interface Client {
  issuer: string;
  clientId: string;
}

/** A token of the issuer, and whose it is. */
export interface IssuerToken {
  token: string;
  operator: OperatorCaller;
}

/**
 * Signs operators in to the console with the OIDC issuer: the browser gets a code there (authorization code flow with
 * PKCE), and this exchanges it for a token, since the policy of the page lets it ask nobody but StreamForge.
 */
@Injectable()
export class IssuerSignIn {
  private readonly logger = new Logger('Access');
  private known: { endpoints: Endpoints; readAtMs: number } | undefined;
  private reading: Promise<Endpoints> | undefined;
  private pausedUntilMs = 0;
  private reportedAtMs = -Infinity;
  /** From where codes are being exchanged. */
  private readonly addresses = new Set<string>();

  constructor(
    @Inject(SETTINGS_TOKEN)
    private readonly settings: Pick<Settings, 'OIDC_ISSUER' | 'OIDC_CLIENT_ID' | 'OIDC_CLIENT_SECRET' | 'OIDC_SCOPE'>,
    private readonly tokens: OidcTokens,
  ) {}

  /**
   * Returns where the browser gets a code, or null where the console does not sign in with an issuer.
   * @throws Problem `issuer-unavailable`
   */
  async offer(): Promise<IssuerOffer | null> {
    const client = this.client();
    if (!client) return null;
    const { authorizationUrl } = await this.endpointsOf(client.issuer);
    return { ...client, authorizationUrl, scope: this.settings.OIDC_SCOPE };
  }

  /**
   * Exchanges a code for a token, one at a time from each address. Returns why not, if the issuer refuses the code or gives
   * no token that admits an operator.
   * @throws Problem `issuer-unavailable`, `overloaded`
   */
  async exchange(request: IssuerSignInRequest, addressKey: string): Promise<IssuerToken | string> {
    const client = this.client();
    if (!client) return 'The console does not sign in with an issuer, because OIDC_CLIENT_ID is not set.';
    if (this.addresses.has(addressKey) || this.addresses.size >= MOST_EXCHANGES) {
      throw new Problem('overloaded', 'Others sign in at this moment. Try again.', { retryAfterSeconds: 1 });
    }
    this.addresses.add(addressKey);
    try {
      const given = await this.tokensFor(request, client);
      return typeof given === 'string' ? given : await this.firstThatAdmits(given);
    } finally {
      this.addresses.delete(addressKey);
    }
  }

  private client(): Client | undefined {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = this.settings;
    return issuer === undefined || clientId === undefined ? undefined : { issuer, clientId };
  }

  /** What goes wrong here pauses nothing: a stranger's code could make the issuer fail for everybody. */
  private async tokensFor(request: IssuerSignInRequest, client: Client): Promise<string[] | string> {
    const { tokenUrl } = await this.endpointsOf(client.issuer);
    try {
      const { status, text } = await fetchText(tokenUrl, {
        ...{ method: 'POST', redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) },
        headers: { Accept: 'application/json', ...this.clientSecret(client.clientId) },
        body: new URLSearchParams({
          ...{ grant_type: 'authorization_code', code: request.code, redirect_uri: request.redirectUri },
          ...{ client_id: client.clientId, code_verifier: request.codeVerifier },
        }),
      });
      if (status === 200) return tokensIn(text);
      this.report(client.issuer, `the token endpoint answered ${status} ${errorIn(text)}`);
      if (status >= 400 && status < 500) return 'The issuer has refused the sign-in. Sign in again.';
    } catch (error) {
      this.report(client.issuer, error instanceof Error ? error.message : String(error));
    }
    throw unavailable();
  }

  /** Anybody can cause it: one line a minute. */
  private report(issuer: string, why: string): void {
    if (performance.now() < this.reportedAtMs + REPORT_EVERY_MS) return;
    this.reportedAtMs = performance.now();
    this.logger.warn({ msg: 'access.issuer-sign-in-failed', issuer, why });
  }

  /** The access token first: an ID token is for OIDC_CLIENT_ID, which is OIDC_AUDIENCE at some issuers only. */
  private async firstThatAdmits(given: readonly string[]): Promise<IssuerToken | string> {
    for (const token of given) {
      const operator = await this.tokens.operatorOf(token);
      if (operator) return { token, operator };
    }
    return 'The issuer knows you, but its tokens give no role here, or are not for OIDC_AUDIENCE. Ask an owner of StreamForge.';
  }

  /** As RFC 6749 has it, both parts are encoded as in a form. */
  private clientSecret(clientId: string): Record<string, string> {
    const { OIDC_CLIENT_SECRET: secret } = this.settings;
    if (secret === undefined) return {};
    const pair = [clientId, secret]
      .map((part) => new URLSearchParams({ part }).toString().slice('part='.length))
      .join(':');
    return { Authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  }

  /** Those that are known stay in use while the issuer does not answer. After a failure it is left alone for five seconds. */
  private async endpointsOf(issuer: string): Promise<Endpoints> {
    if (this.known && performance.now() < this.known.readAtMs + KEPT_MS) return this.known.endpoints;
    this.reading ??= this.readAndKeep(issuer).finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async readAndKeep(issuer: string): Promise<Endpoints> {
    if (performance.now() >= this.pausedUntilMs) {
      try {
        this.known = { endpoints: await readEndpoints(issuer), readAtMs: performance.now() };
      } catch (error) {
        this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
        this.logger.warn({ msg: 'access.issuer-unavailable', issuer, err: error });
      }
    }
    if (!this.known) throw unavailable();
    return this.known.endpoints;
  }
}

async function readEndpoints(issuer: string): Promise<Endpoints> {
  const { authorization_endpoint: authorizationUrl, token_endpoint: tokenUrl } = await readConfiguration(issuer, {
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: 'manual',
  });
  return {
    authorizationUrl: protectedUrl('authorization_endpoint', authorizationUrl),
    tokenUrl: protectedUrl('token_endpoint', tokenUrl),
  };
}

/** @throws if these are no tokens, with a message that quotes nothing of them */
function tokensIn(text: string): string[] {
  const { access_token: access, id_token: id } = membersOf(text) ?? {};
  const tokens = [access, id].filter((token) => typeof token === 'string');
  if (tokens.length === 0) throw new Error('the token endpoint answered 200 without a token');
  return tokens;
}

/** The error code of RFC 6749. */
function errorIn(text: string): string {
  const { error } = membersOf(text) ?? {};
  return typeof error === 'string' ? error.slice(0, MOST_ERROR_LENGTH) : '';
}

function membersOf(text: string): Record<string, unknown> | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as Record<string, unknown> | undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const unavailable = (): Problem =>
  new Problem(
    'issuer-unavailable',
    'The OIDC issuer does not answer as it should. Enter an operator token, or try again.',
    {
      retryAfterSeconds: PAUSE_AFTER_FAILURE_MS / 1_000,
    },
  );
