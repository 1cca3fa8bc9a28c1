import type { Schema } from '../api/endpoints';
import { exchange } from '../api/exchange';
import { session } from './session';

/**
 * Returns the one-time code of the link that `npm start` prints, and takes it out of the address, so that it stays in no
 * history. A fragment is sent to no server.
 */
function takeCode(): string | undefined {
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code !== undefined) history.replaceState(history.state, '', `${location.pathname}${location.search}`);
  return code;
}

/** Exchanges the code for a token, once: a lost response leads to the sign-in, which says so. */
async function signInByCode(code: string): Promise<void> {
  session.begin();
  try {
    const text = await exchange({ method: 'POST', url: '/console/sign-in', body: JSON.stringify({ code }) }, undefined);
    session.signIn((JSON.parse(text) as Schema<'SignInResponse'>).token);
  } catch (error) {
    session.refuse(error instanceof Error ? error.message : String(error));
  }
}

/** Signs in when the address has a code. */
export function signInByLink(): void {
  const code = takeCode();
  if (code !== undefined) void signInByCode(code);
}
