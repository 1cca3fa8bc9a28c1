import { Inject, Injectable, Logger } from '@nestjs/common';
import type { OperatorCaller } from '../../access/identity/caller';
import { protectedUrl, readConfiguration, readText } from '../../access/oidc/issuer-configuration';
import { PAUSE_AFTER_FAILURE_MS, TIMEOUT_MS } from '../../access/oidc/issuer-keys';
import { OidcTokens } from '../../access/oidc/oidc-tokens';
import { SETTINGS_TOKEN, type Settings } from '../../config/settings';
import { Problem } from '../../event/problems';
import type { IssuerSignInRequest } from './sign-in.requests';
import type { IssuerOffer } from './sign-in.responses';

const KEPT_MS = 600_000;
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
  private exchanges = 0;

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
   * Exchanges a code for a token. Returns why not, if the issuer refuses the code or gives no token that admits an operator.
   * @throws Problem `issuer-unavailable`, `overloaded`
   */
  async exchange(request: IssuerSignInRequest): Promise<IssuerToken | string> {
    const client = this.client();
    if (!client) return 'The console does not sign in with an issuer, because OIDC_CLIENT_ID is not set.';
    if (this.exchanges >= MOST_EXCHANGES) {
      throw new Problem('overloaded', 'Too many operators sign in at this moment.', { retryAfterSeconds: 1 });
    }
    this.exchanges += 1;
    try {
      const given = await this.tokensFor(request, client);
      return typeof given === 'string' ? given : await this.firstThatAdmits(given);
    } finally {
      this.exchanges -= 1;
    }
  }

  private client(): Client | undefined {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId } = this.settings;
    return issuer === undefined || clientId === undefined ? undefined : { issuer, clientId };
  }

  private async tokensFor(request: IssuerSignInRequest, client: Client): Promise<string[] | string> {
    const { tokenUrl } = await this.endpointsOf(client.issuer);
    const { status, text } = await this.ask(client.issuer, () =>
      readText(tokenUrl, {
        ...{ method: 'POST', redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) },
        headers: { Accept: 'application/json', ...this.clientSecret(client.clientId) },
        body: new URLSearchParams({
          ...{ grant_type: 'authorization_code', code: request.code, redirect_uri: request.redirectUri },
          ...{ client_id: client.clientId, code_verifier: request.codeVerifier },
        }),
      }),
    );
    if (status >= 400 && status < 500) {
      this.logger.warn({ msg: 'access.issuer-sign-in-refused', status, answer: text.slice(0, 500) });
      return 'The issuer has refused the sign-in. Sign in again.';
    }
    return this.ask(client.issuer, () => Promise.resolve(tokensIn(status, text)));
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

  private async endpointsOf(issuer: string): Promise<Endpoints> {
    if (this.known && performance.now() < this.known.readAtMs + KEPT_MS) return this.known.endpoints;
    this.reading ??= this.ask(issuer, () => readEndpoints(issuer)).finally(() => (this.reading = undefined));
    const endpoints = await this.reading;
    this.known = { endpoints, readAtMs: performance.now() };
    return endpoints;
  }

  /** After a failure, the issuer is left alone for five seconds. */
  private async ask<T>(issuer: string, work: () => Promise<T>): Promise<T> {
    if (performance.now() < this.pausedUntilMs) throw unavailable();
    try {
      return await work();
    } catch (error) {
      this.pausedUntilMs = performance.now() + PAUSE_AFTER_FAILURE_MS;
      this.logger.warn({ msg: 'access.issuer-unavailable', issuer, err: error });
      throw unavailable();
    }
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

/** @throws if this is no response with tokens */
function tokensIn(status: number, text: string): string[] {
  if (status !== 200) throw new Error(`The token endpoint answered ${status}.`);
  const answer = (JSON.parse(text) ?? {}) as Record<string, unknown>;
  return [answer.access_token, answer.id_token].filter((token) => typeof token === 'string');
}

const unavailable = (): Problem =>
  new Problem(
    'issuer-unavailable',
    'The OIDC issuer does not answer as it should. Enter an operator token, or try again.',
    {
      retryAfterSeconds: PAUSE_AFTER_FAILURE_MS / 1_000,
    },
  );
