import { session } from '../session/session';
import { connection } from './connection';
import { credentialHeaders } from './credential-headers';
import type { QueryOf } from './endpoints';
import { EventStreamReader, type StreamMessage } from './event-stream';
import { ApiProblem, ConnectionLost, problemOf } from './problem';
import { urlOf } from './url-of';

export type LiveFilter = NonNullable<QueryOf<'/v1/admin/live'>>;

/** The server says something at least every 15 seconds. */
const SILENCE_MS = 40_000;

/**
 * Watches events until the connection ends. An EventSource could not send the token, so the stream is read by fetch.
 * @throws ApiProblem, also when the server says in the stream why it ends; ConnectionLost
 */
export async function watchEvents(
  filter: LiveFilter,
  onMessage: (message: StreamMessage) => void,
  signal: AbortSignal,
): Promise<void> {
  const token = session.token();
  const silence = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), SILENCE_MS);
  };
  alive();
  try {
    const response = await fetch(urlOf('/v1/admin/live', {}, filter), {
      headers: { Accept: 'text/event-stream', ...(token === undefined ? {} : credentialHeaders(token)) },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.any([signal, silence.signal]),
    });
    connection.works();
    if (!response.ok || !response.body) {
      throw problemOf(response.status, await response.text(), response.headers.get('X-Correlation-Id') ?? undefined);
    }
    const reader = new EventStreamReader();
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await pieces.read();
      if (done) return;
      alive();
      for (const message of reader.read(value)) {
        if (message.event === 'end') throw endOf(message.data);
        onMessage(message);
      }
    }
  } catch (error) {
    if (error instanceof ApiProblem) {
      if (error.status === 401 && token !== undefined) session.expire(token, error.message);
      throw error;
    }
    if (!signal.aborted) connection.lost();
    throw new ConnectionLost();
  } finally {
    clearTimeout(timer);
    silence.abort(); // closes a body that was not read to its end
  }
}

function endOf(data: string): ApiProblem {
  const { status } = JSON.parse(data) as { status: number };
  return problemOf(status, data, undefined);
}
