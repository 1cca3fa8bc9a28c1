import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose';

export const AUDIENCE = 'streamforge';

/** An OIDC issuer on this machine, which publishes its keys and signs whatever a test wants. */
export interface TestIssuer {
  url: string;
  /** The settings that let its tokens in. */
  env: Record<string, string>;
  /** Requests for the keys so far. */
  reads: number;
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
      return void response.end(JSON.stringify({ issuer: named, jwks_uri: `${issuer.url}/keys` }));
    }
    issuer.reads += 1;
    const padding = issuer.mode === 'huge' ? 'x'.repeat(1_000_000) : '';
    response.end(JSON.stringify({ ...issuer.jwks, padding }));
  });
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
