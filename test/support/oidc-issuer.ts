import { hash, randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

export const AUDIENCE = 'streamforge';
/** What lets the console sign in with it. */
export const CONSOLE_CLIENT = { OIDC_CLIENT_ID: 'console', OIDC_CLIENT_SECRET: 'a b:c' };

/** An OIDC issuer on this machine, which publishes its keys and signs whatever a test wants. */
export interface TestIssuer {
  url: string;
  /** The settings that let its tokens in. The console has none: see CONSOLE_CLIENT. */
  env: Record<string, string>;
  /** Requests for the keys so far. */
  reads: number;
  /** The claims of those who sign in with a browser. */
  claims: JWTPayload;
  /** Whether it refuses them. */
  refuses: boolean;
  /** How it answers; `slow`: not at all. */
  mode: 'up' | 'error' | 'slow' | 'other-issuer' | 'huge';
  /** What it publishes. */
  jwks: { keys: JWK[] };
  sign(claims?: JWTPayload): Promise<string>;
  /** Signs with a new key from now on; the old one is withdrawn unless it is kept. */
  rotate(options?: { alg?: string; keep?: boolean; publish?: boolean }): Promise<void>;
  close(): Promise<void>;
}

export async function startIssuer(): Promise<TestIssuer> {
  let signing: { key: CryptoKey; alg: string; kid: string };
  let keyNumber = 0;
  const server = createServer((request, response) => {
    if (issuer.mode === 'slow') return;
    if (issuer.mode === 'error') return void response.writeHead(500).end('no');
    response.setHeader('content-type', 'application/json');
    if (request.url === '/realms/ops/.well-known/openid-configuration') {
      const named = issuer.mode === 'other-issuer' ? `${issuer.url}/other` : issuer.url;
      const { url } = issuer;
      const endpoints = { authorization_endpoint: `${url}/authorize`, token_endpoint: `${url}/token` };
      return void response.end(JSON.stringify({ issuer: named, jwks_uri: `${url}/keys`, ...endpoints }));
    }
    if (request.url?.startsWith('/realms/ops/authorize?')) return authorize(request, response);
    if (request.url === '/realms/ops/token') return void giveToken(request, response);
    issuer.reads += 1;
    const padding = issuer.mode === 'huge' ? 'x'.repeat(1_000_000) : '';
    response.end(JSON.stringify({ ...issuer.jwks, padding }));
  });
  /** A code is for one use. */
  const begun = new Map<string, URLSearchParams>();
  const authorize = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
    const asked = new URL(url, issuer.url).searchParams;
    const to = new URL(asked.get('redirect_uri') ?? '');
    to.searchParams.set('state', asked.get('state') ?? '');
    if (issuer.refuses) to.searchParams.set('error', 'access_denied');
    else to.searchParams.set('code', randomUUID());
    begun.set(to.searchParams.get('code') ?? '', asked);
    response.writeHead(302, { location: to.href }).end();
  };
  const giveToken = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = new URLSearchParams(await text(request));
    const asked = begun.get(form.get('code') ?? '');
    begun.delete(form.get('code') ?? '');
    const challenge = hash('sha256', form.get('code_verifier') ?? '', 'base64url');
    const isRight =
      asked?.get('code_challenge') === challenge &&
      asked.get('redirect_uri') === form.get('redirect_uri') &&
      request.headers.authorization === `Basic ${Buffer.from('console:a+b%3Ac').toString('base64')}`;
    if (!isRight) return void response.writeHead(400).end('{"error":"invalid_grant"}');
    const tokens = { access_token: 'not-a-jwt', id_token: await issuer.sign(issuer.claims) };
    response.end(JSON.stringify({ token_type: 'Bearer', ...tokens }));
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/realms/ops`;
  const issuer: TestIssuer = {
    url,
    env: {
      OIDC_ISSUER: url,
      OIDC_AUDIENCE: AUDIENCE,
      OIDC_ROLES: 'groups:support=support,groups:platform=owner,realm_access.roles:looker=viewer',
    },
    reads: 0,
    claims: {},
    refuses: false,
    mode: 'up',
    jwks: { keys: [] },
    sign: (claims = {}) =>
      new SignJWT({ ...usualClaims(url), ...claims })
        .setProtectedHeader({ alg: signing.alg, kid: signing.kid })
        .sign(signing.key),
    rotate: async ({ alg = 'ES256', keep = false, publish = true } = {}) => {
      const { publicKey, privateKey } = await generateKeyPair(alg);
      signing = { key: privateKey, alg, kid: `key-${++keyNumber}` };
      const jwk = { ...(await exportJWK(publicKey)), alg, use: 'sig', kid: signing.kid };
      if (publish) issuer.jwks = { keys: [...(keep ? issuer.jwks.keys : []), jwk] };
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  await issuer.rotate();
  return issuer;
}

export function usualClaims(issuer: string): JWTPayload {
  const exp = Math.floor(Date.now() / 1000) + 300;
  return { iss: issuer, aud: AUDIENCE, sub: '00u1', email: 'ann@example.com', groups: ['support'], exp };
}
