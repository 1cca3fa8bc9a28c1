interface Credential {
  expiresAt: string | null;
  revokedAt: string | null;
}

/** Whether a key or the token of an operator works. A rotation sets the end of the first key as its expiry. */
export function stateOf({ expiresAt, revokedAt }: Credential, nowMs: number): 'active' | 'expired' | 'revoked' {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= nowMs ? 'expired' : 'active';
}
