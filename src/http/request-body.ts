import type { Readable } from 'node:stream';
import { Problem } from '../event/problems';
import { withinDeadline } from '../runtime/deadline';

/**
 * Yields the chunks of a request body. Destroying this generator does not destroy the request and its socket, so a
 * stream that breaks off still gets a response. Only time spent waiting for the sender counts towards `stallMs`; time
 * in which nothing is read, because storage is slow, does not.
 * @throws Problem `request-timeout` when no byte arrives for `stallMs`
 */
export async function* bodyChunks(request: Readable, stallMs: number): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (;;) {
    const next = await withinDeadline(stallMs, chunks.next(), { late: () => stalled(stallMs), unref: true });
    if (next.done) return;
    yield next.value;
  }
}

/** Returns the problem of a body that stalls. */
export function stalled(stallMs: number): Problem {
  return new Problem('request-timeout', `No byte of the body arrived for ${stallMs} ms.`);
}
