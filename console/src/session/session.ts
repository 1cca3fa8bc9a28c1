const KEY = 'streamforge.token';

/** Why the sign-in is shown although there was a token. */
export interface Notice {
  kind: 'expired' | 'signed-out' | 'refused';
  text: string;
}

interface State {
  token: string | undefined;
  notice: Notice | undefined;
  /** A code is being exchanged for a token. */
  isBusy: boolean;
}

/** The token lives as long as the tab, and is in no URL, cookie or log. */
let state: State = { token: sessionStorage.getItem(KEY) ?? undefined, notice: undefined, isBusy: false };
const listeners = new Set<() => void>();

function become(next: Omit<State, 'isBusy'>, isBusy = false): void {
  state = { ...next, isBusy };
  if (next.token === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, next.token);
  for (const listener of listeners) listener();
}

export const session = {
  token: (): string | undefined => state.token,
  state: (): State => state,
  signIn: (token: string): void => become({ token, notice: undefined }),
  /** Nobody is signed in while a code is exchanged. */
  begin: (): void => become({ token: undefined, notice: undefined }, true),
  refuse: (text: string): void => become({ token: undefined, notice: { kind: 'refused', text } }),
  signOut: (): void => become({ token: undefined, notice: { kind: 'signed-out', text: 'You have signed out.' } }),
  /** A response to an older token says nothing about the present one. */
  expire: (token: string, text: string): void => {
    if (state.token === token) become({ token: undefined, notice: { kind: 'expired', text } });
  },
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};
