import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore, type ReactNode } from 'react';
import { ApiProblem } from '../api/problem';
import { Fault } from '../parts/fault';
import { CallerContext } from './caller';
import { session } from './session';
import { SignIn } from './sign-in';
import { whoami } from './whoami';

/** Shows the page to operators, and the sign-in to everybody else. The address stays, so signing in leads back to it. */
export function SignInGate({ children }: { children: ReactNode }) {
  const { token, notice, isBusy } = useSyncExternalStore(session.subscribe, session.state);
  const client = useQueryClient();
  useEffect(() => (token === undefined ? undefined : () => client.clear()), [token, client]); // the next may see less
  if (isBusy) return <p className="wait">Signing in …</p>;
  if (token === undefined) return <SignIn notice={notice} />;
  return (
    <SignedIn key={token} token={token}>
      {children}
    </SignedIn>
  );
}

function SignedIn({ token, children }: { token: string; children: ReactNode }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['whoami', token],
    queryFn: () => whoami(token),
    staleTime: Infinity,
  });
  const isRefused = error instanceof ApiProblem && error.status === 401;
  useEffect(() => {
    if (isRefused) session.expire(token, error.message);
  }, [isRefused, token, error]);
  if (data) return <CallerContext value={data}>{children}</CallerContext>;
  if (!error || isRefused) return <p className="wait">Signing in …</p>;
  return (
    <main className="narrow">
      <h1>StreamForge</h1>
      <Fault error={error} onRetry={() => void refetch()} />
      <p>
        <button type="button" onClick={session.signOut}>
          Sign in with another token
        </button>
      </p>
    </main>
  );
}
