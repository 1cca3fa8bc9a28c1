import type { Readable } from 'node:stream';
import { Problem } from '../event/problems';

/**
 * The chunks of a request body. Unlike the request itself it may be destroyed by a pipeline without taking the socket
 * along, so that a stream that breaks can still be answered. While nobody reads on, because storage is slow, time does
 * not count; a sender that brings nothing for `stallMs` while we wait ends it.
 * @throws Problem `request-timeout`
 */
export async function* bodyChunks(request: Readable, stallMs: number): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (;;) {
    const next = await beforeStall(chunks.next(), stallMs);
    if (next.done) return;
    yield next.value;
  }
}

async function beforeStall<T>(work: Promise<T>, stallMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(stalledProblem(stallMs)), stallMs).unref();
  });
  try {
    return await Promise.race([work, stalled]);
  } finally {
    clearTimeout(timer);
  }
}

/** A body that drips is not stalled. One that Fastify reads whole is small, and has this many stall times in all. */
const WHOLE_BODY_STALLS = 4;

/**
 * Ends the reading of a body that brings nothing for `stallMs`, or is not complete after four times that, with the
 * problem `request-timeout`; for bodies that Fastify reads. One timer a request: wrapping the body in a stream of our
 * own costs every small request more.
 */
export function endWhenStalled(body: Readable, stallMs: number): void {
  const endMs = performance.now() + stallMs * WHOLE_BODY_STALLS;
  const timer = setTimeout(() => body.emit('error', stalledProblem(stallMs)), stallMs);
  const stop = (): void => clearTimeout(timer);
  body.on('data', () => {
    if (performance.now() < endMs) timer.refresh();
    else body.emit('error', new Problem('request-timeout', 'The body comes too slowly.'));
  });
  body.once('end', stop).once('close', stop).once('error', stop);
}

function stalledProblem(stallMs: number): Problem {
  return new Problem('request-timeout', `The body brought nothing for ${stallMs} ms.`);
}
