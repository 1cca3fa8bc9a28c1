export interface CurlRequest {
  origin: string;
  method: 'GET' | 'POST';
  path: string;
  body?: string | undefined;
  /** Whether the caller has a token of the OIDC issuer, which goes into another header. */
  isJwt?: boolean;
  /** Whether the response is a stream of server-sent events, to be shown as it comes. */
  isStream?: boolean;
}

/** Returns a command that sends a request. The token is read from the environment, so that no history keeps it. */
export function curlOf({ origin, method, path, body, isJwt = false, isStream = false }: CurlRequest): string {
  const lines = [
    `curl -sS${isStream ? 'N' : ''}${method === 'GET' ? '' : ` -X ${method}`} ${quoted(origin + path)}`,
    isJwt ? '-H "Authorization: Bearer $OIDC_TOKEN"' : '-H "X-Admin-Token: $ADMIN_TOKEN"',
  ];
  if (isStream) lines.push("-H 'Accept: text/event-stream'");
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `--data-binary ${quoted(body)}`);
  return lines.join(' \\\n  ');
}

/** One word of a POSIX shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
