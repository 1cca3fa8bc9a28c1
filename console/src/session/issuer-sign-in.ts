import type { Schema } from '../api/endpoints';
import { exchange } from '../api/exchange';
import { session } from './session';

export type IssuerOffer = Schema<'IssuerOffer'>;

/** What this tab has to know when the issuer leads back to it. */
interface Begun {
  state: string;
  codeVerifier: string;
  /** Where the operator wanted to go. */
  address: string;
}

const KEY = 'streamforge.issuer-sign-in';
const PATH = '/console/sign-in/oidc';
const SECRET_BYTES = 32;

const redirectUri = (): string => `${location.origin}/console/`;

/** Returns where operators sign in, or null if they enter tokens. @throws ApiProblem, ConnectionLost */
export async function readOffer(): Promise<IssuerOffer | null> {
  const text = await exchange({ method: 'GET', url: PATH }, undefined);
  return (JSON.parse(text) as Schema<'SignInOffersResponse'>).oidc;
}

/** Leaves the page for the issuer, which leads back with a code. PKCE: only this tab can exchange it. */
export async function goToIssuer({ authorizationUrl, clientId, scope }: IssuerOffer): Promise<void> {
  const begun: Begun = {
    state: randomText(),
    codeVerifier: randomText(),
    address: location.pathname + location.search,
  };
  sessionStorage.setItem(KEY, JSON.stringify(begun));
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(begun.codeVerifier));
  const url = new URL(authorizationUrl);
  const parameters = {
    ...{ response_type: 'code', client_id: clientId, redirect_uri: redirectUri(), scope, state: begun.state },
    ...{ code_challenge: base64Url(new Uint8Array(digest)), code_challenge_method: 'S256' },
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  location.assign(url);
}

/** Signs in when the issuer has led back to this tab. Its parameters leave the address, so that they stay in no history. */
export function signInByIssuer(): void {
  const parameters = new URLSearchParams(location.search);
  const [state, code, error] = ['state', 'code', 'error'].map((name) => parameters.get(name));
  if (!state || !(code || error)) return;
  const begun = takeBegun();
  history.replaceState(history.state, '', begun?.address ?? location.pathname);
  if (begun?.state !== state) {
    if (session.token() === undefined) session.refuse('This sign-in was not begun in this tab. Try again.');
  } else if (code) void exchangeCode(code, begun.codeVerifier);
  else session.refuse(`The issuer has refused the sign-in: ${error}. Try again, or enter a token.`);
}

function takeBegun(): Begun | undefined {
  const text = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  return text === null ? undefined : (JSON.parse(text) as Begun);
}

/** Exchanges the code for a token, once: a lost response leads to the sign-in, which says so. */
async function exchangeCode(code: string, codeVerifier: string): Promise<void> {
  session.begin();
  try {
    const body = JSON.stringify({ code, codeVerifier, redirectUri: redirectUri() });
    const text = await exchange({ method: 'POST', url: PATH, body }, undefined);
    session.signIn((JSON.parse(text) as Schema<'IssuerSignInResponse'>).token);
  } catch (error) {
    session.refuse(error instanceof Error ? error.message : String(error));
  }
}

const randomText = (): string => base64Url(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
