import { ApiProblem } from '../api/problem';

/** Shows why something failed: the sentence, the code, and the correlation id that the logs have. */
export function Fault({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof ApiProblem ? error : undefined;
  return (
    <div className="fault" role="alert">
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {problem && problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ pointer, message }) => (
            <li key={`${pointer} ${message}`}>
              <code>{pointer}</code> {message}
            </li>
          ))}
        </ul>
      )}
      {problem && (
        <p className="hint">
          <code>{problem.code}</code>
          {problem.correlationId !== undefined && (
            <>
              {' · correlation id '}
              <code>{problem.correlationId}</code>
            </>
          )}
        </p>
      )}
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
