import { connection } from './connection';
import { credentialHeaders } from './credential-headers';
import { ConnectionLost, problemOf } from './problem';

export interface Sent {
  method: string;
  url: string;
  /** JSON as text: a payload keeps its numbers. */
  body?: string | undefined;
  idempotencyKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Sends one request and returns the text of a successful response. @throws ApiProblem, ConnectionLost */
export async function exchange(
  { method, url, body, idempotencyKey, signal }: Sent,
  token: string | undefined,
): Promise<string> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      headers: {
        Accept: 'application/json',
        ...(token === undefined ? {} : credentialHeaders(token)),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
      },
      body: body ?? null,
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: signal ?? null,
    });
    text = await response.text();
  } catch (error) {
    if (signal?.aborted) throw error; // the page has moved on
    connection.lost();
    throw new ConnectionLost();
  }
  connection.works();
  if (response.ok) return text;
  throw problemOf(response.status, text, response.headers.get('X-Correlation-Id') ?? undefined);
}
