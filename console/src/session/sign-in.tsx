import { useId, useState, type FormEvent } from 'react';
import { Fault } from '../parts/fault';
import { IssuerButton } from './issuer-button';
import { session, type Notice } from './session';
import { whoami } from './whoami';

/** Takes a token, and keeps it when the api says that it is one of an operator. */
export function SignIn({ notice }: { notice: Notice | undefined }) {
  const [token, setToken] = useState('');
  const [error, setError] = useState<unknown>();
  const [isBusy, setIsBusy] = useState(false);
  const id = useId();

  async function submit(event: FormEvent): Promise<void> {
    event.preventDefault();
    const text = token.trim();
    if (text === '' || isBusy) return;
    setIsBusy(true);
    setError(undefined);
    try {
      await whoami(text);
      session.signIn(text);
    } catch (problem) {
      setError(problem);
      setIsBusy(false);
    }
  }

  return (
    <main className="narrow">
      <h1>StreamForge</h1>
      {notice && (
        <p className="note" role="status">
          {notice.kind === 'expired' ? `You have been signed out. ${notice.text}` : notice.text}
        </p>
      )}
      <IssuerButton />
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <label htmlFor={id}>Operator token</label>
        <input
          id={id}
          type="password"
          autoComplete="off"
          spellCheck={false}
          value={token}
          onChange={(event) => setToken(event.target.value)}
          autoFocus
        />
        <p className="hint">
          A token that begins with <code>sfa_</code>, the <code>ADMIN_TOKEN</code> that <code>npm start</code> prints,
          or a token of the OIDC issuer. The link that <code>npm start</code> prints signs in without one. This tab
          keeps it until it is closed.
        </p>
        <button type="submit" className="primary" disabled={isBusy || token.trim() === ''}>
          {isBusy ? 'Signing in …' : 'Sign in'}
        </button>
        {error !== undefined && <Fault error={error} />}
      </form>
    </main>
  );
}
