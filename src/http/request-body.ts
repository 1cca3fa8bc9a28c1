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

/**
 * Total time for a body that Fastify reads whole, in multiples of the stall timeout. It ends a body that trickles in.
 */
const WHOLE_BODY_STALLS = 4;

/**
 * Ends a body that Fastify reads whole with `request-timeout` when no byte arrives for `stallMs`, or when the body is
 * incomplete after four times that. Uses one timer per request, which costs a small request less than wrapping its body
 * in another stream.
 */
export function endWhenStalled(body: Readable, stallMs: number): void {
  const endMs = performance.now() + stallMs * WHOLE_BODY_STALLS;
  const timer = setTimeout(() => body.emit('error', stalled(stallMs)), stallMs);
  const stop = (): void => clearTimeout(timer);
  body.on('data', () => {
    if (performance.now() < endMs) timer.refresh();
    else body.emit('error', new Problem('request-timeout', 'The body arrived too slowly.'));
  });
  body.once('end', stop).once('close', stop).once('error', stop);
}

function stalled(stallMs: number): Problem {
  return new Problem('request-timeout', `No byte of the body arrived for ${stallMs} ms.`);
}
