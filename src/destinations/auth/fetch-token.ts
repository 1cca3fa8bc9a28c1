import { Client } from 'undici';
import type { AddressGuard } from '../address/address-guard';
import { basicAuthorization, type OAuth2 } from './destination-auth';

/** For the whole response, from the look-up of the name on. */
export const TOKEN_TIMEOUT_MS = 5_000;
const MAX_BYTES = 65_536;
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
/** What an error of RFC 6749 looks like. Nothing else of a response is shown: it may repeat the request. */
const ERROR = /^[a-z_]{1,64}$/;
/** RFC 6749 only recommends that a response says how long its token is valid. */
const DEFAULT_SECONDS = 300;
const MAX_SECONDS = 86_400;

export interface AccessToken {
  token: string;
  validSeconds: number;
}

/** The token endpoint gave no token. The message is for the operator. */
export class TokenError extends Error {
  override readonly name = 'TokenError';
}

/** Fetches a token with client credentials. Redirects are not followed. @throws TokenError */
export async function fetchToken(auth: OAuth2, guard: AddressGuard): Promise<AccessToken> {
  try {
    const { status, text } = await send(auth, guard);
    return tokenOf(status, text, auth.clientSecret);
  } catch (error) {
    if (error instanceof TokenError) throw error;
    const isLate = error instanceof Error && error.name === 'TimeoutError';
    const why = isLate ? `did not respond within ${TOKEN_TIMEOUT_MS} ms` : 'cannot be reached';
    throw new TokenError(`the token endpoint ${why}`, { cause: error });
  }
}

async function send(
  { tokenUrl, clientId, clientSecret, scope }: OAuth2,
  guard: AddressGuard,
): Promise<{ status: number; text: string }> {
  const url = new URL(tokenUrl);
  guard.checkLiteral(url);
  const client = new Client(url.origin, { connect: guard.connector(TOKEN_TIMEOUT_MS) });
  const form = new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) });
  try {
    const { statusCode, body } = await client.request({
      path: url.pathname + url.search,
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
        'user-agent': 'StreamForge-Webhooks/1',
        authorization: basicAuthorization(formEncoded(clientId), formEncoded(clientSecret)),
      },
      body: form.toString(),
      signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
    });
    return { status: statusCode, text: await readAll(body) };
  } finally {
    await client.destroy();
  }
}

/** RFC 6749, section 2.3.1: both parts are form-encoded before they are joined. */
const formEncoded = (text: string): string => new URLSearchParams({ '': text }).toString().slice(1);

function tokenOf(status: number, text: string, secret: string): AccessToken {
  const answer = parsed(text);
  if (status !== 200) {
    const { error } = answer;
    const code = typeof error === 'string' && ERROR.test(error) && !error.includes(secret) ? `: ${error}` : '';
    throw new TokenError(`the token endpoint responded with ${status}${code}`);
  }
  const { access_token: token, token_type: type = 'bearer', expires_in: seconds = DEFAULT_SECONDS } = answer;
  if (typeof token !== 'string' || !TOKEN.test(token)) {
    throw new TokenError('the response of the token endpoint has no access_token');
  }
  if (typeof type !== 'string' || type.toLowerCase() !== 'bearer') {
    throw new TokenError('the token endpoint issues no bearer tokens');
  }
  const valid = Number(seconds);
  return { token, validSeconds: valid >= 0 ? Math.min(valid, MAX_SECONDS) : DEFAULT_SECONDS };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

async function readAll(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MAX_BYTES) throw new TokenError(`the response of the token endpoint has more than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
