import type { Readable } from 'node:stream';
import { Problem } from '../event/problems';
import { DeadlineExceeded, withinDeadline } from '../runtime/deadline';

/** Time in which the server kept the sender waiting, although it waited for the next chunk. */
export interface Pause {
  readonly waitedMs: number;
}

export const NO_PAUSE: Pause = { waitedMs: 0 };

/**
 * Yields the chunks of a request body. Destroying this generator does not destroy the request and its socket, so a
 * stream that breaks off still gets a response. Only time spent waiting for the sender counts towards `stallMs`; time
 * in which nothing is read, because storage is slow, does not. A sender may wait for the results of what it has sent,
 * so the time that its stream waits for a limit does not count either.
 * @throws Problem `request-timeout` when no byte arrives for `stallMs`
 */
export async function* bodyChunks(request: Readable, stallMs: number, pause = NO_PAUSE): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (;;) {
    const next = await unlessStalled(chunks.next(), stallMs, pause);
    if (next.done) return;
    yield next.value;
  }
}

/** Made once: an error for each chunk cost 2 % of a stream's time. */
const LATE = new DeadlineExceeded('no byte of the body arrived');

async function unlessStalled<T>(work: Promise<T>, stallMs: number, pause: Pause): Promise<T> {
  const startedMs = performance.now();
  const pausedBeforeMs = pause.waitedMs;
  for (let leftMs = stallMs; ;) {
    try {
      return await withinDeadline(leftMs, work, { late: () => LATE, unref: true });
    } catch (error) {
      if (error !== LATE) throw error;
      const waitedMs = performance.now() - startedMs - (pause.waitedMs - pausedBeforeMs);
      leftMs = Math.ceil(stallMs - waitedMs);
      if (leftMs <= 0) throw stalled(stallMs);
    }
  }
}

/** Returns the problem of a body that stalls. */
export function stalled(stallMs: number): Problem {
  return new Problem('request-timeout', `No byte of the body arrived for ${stallMs} ms.`);
}
