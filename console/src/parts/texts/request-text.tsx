import type { Schema } from '../../api/endpoints';

interface Props {
  request: Schema<'KeptRequestResponse'>;
  /** As text, or in base64 if it is none. */
  body: string | null;
  /** Only the beginning of the body is there. */
  isCut: boolean;
}

/** A request that was received, as text. */
export function RequestText({ request, body, isCut }: Props) {
  const { method, path, query, headers } = request;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) parameters.append(name, String(one));
  }
  const line = `${method} …${path}${parameters.size === 0 ? '' : `?${parameters.toString()}`}`;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
  return (
    <pre className="code excerpt" tabIndex={0} aria-label="Request">
      {[line, ...lines].join('\n')}
      {body !== null && `\n\n${body}${isCut ? '…' : ''}`}
    </pre>
  );
}
