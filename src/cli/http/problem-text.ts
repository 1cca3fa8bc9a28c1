import { CliError, EXIT, type ExitCode } from '../cli-error';
import { printable } from '../terminal/printable';

/** The problem details of a response, as far as the command line shows them. */
export interface ShownProblem {
  title?: string;
  detail?: string;
  status?: number;
  code?: string;
  retryable?: boolean;
  correlationId?: string;
  errors?: { pointer?: string; message?: string }[];
}

/** The details of problems whose own text is about headers, which the user of a command does not send. */
const ADVICE: Record<string, string> = {
  'admin-token-invalid':
    'The operator token is wrong, expired or revoked. Set STREAMFORGE_TOKEN, or run "streamforge profiles add NAME".',
  'api-key-missing':
    'This installation takes events only with an API key. Set STREAMFORGE_KEY; "streamforge keys create" makes a key.',
  'api-key-invalid': 'The API key is wrong or revoked. Set STREAMFORGE_KEY; "streamforge keys create" makes a key.',
};

/** The failure of a response that is no success, in one sentence. */
export function failureOf(status: number, problem: ShownProblem, correlationId: string | null): CliError {
  const { code, retryable } = problem;
  const id = problem.correlationId ?? correlationId ?? undefined;
  const places = (problem.errors ?? [])
    .slice(0, 5)
    .map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message));
  const text =
    places.length > 0
      ? `${problem.title ?? 'The request is invalid'}: ${places.join('; ')}.`
      : (ADVICE[code ?? ''] ?? problem.detail ?? problem.title ?? `The server answered ${status}.`);
  const facts = [code ?? `HTTP ${status}`, ...(id === undefined ? [] : [`correlation id ${id}`])].join(', ');
  return new CliError(`${printable(text.replace(/\.\.$/, '.'))} (${printable(facts)})`, exitCodeOf(status), {
    status,
    ...(code === undefined ? {} : { code }),
    ...(retryable === undefined ? {} : { retryable }),
    ...(id === undefined ? {} : { correlationId: id }),
  });
}

export function exitCodeOf(status: number): ExitCode {
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 404) return EXIT.notFound;
  if (status === 408 || status === 429 || status >= 500) return EXIT.unavailable;
  return EXIT.refused;
}
