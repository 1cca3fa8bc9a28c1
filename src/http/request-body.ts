import type { Readable } from 'node:stream';
import { Problem } from '../event/problems';
import { withinDeadline } from '../runtime/deadline';

/**
 * The chunks of a request body. A pipeline may destroy this generator without destroying the request and its socket, so
 * a stream that breaks still gets a response. Ends with `request-timeout` when the sender sends nothing for `stallMs`
 * while we wait for it. Time in which we do not read, because storage is slow, does not count.
 * @throws Problem `request-timeout`
 */
export async function* bodyChunks(request: Readable, stallMs: number): AsyncGenerator<Buffer> {
  const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>;
  for (;;) {
    const next = await withinDeadline(stallMs, chunks.next(), { late: () => stalled(stallMs), unref: true });
    if (next.done) return;
    yield next.value;
  }
}

/** A slow body is not stalled. A body that Fastify reads whole is small; it may take this many stall times in total. */
const WHOLE_BODY_STALLS = 4;

/**
 * For bodies that Fastify reads whole: fails with `request-timeout` when nothing arrives for `stallMs`, or when the body
 * is not complete after four times that. Uses one timer per request, which costs a small request less than wrapping its
 * body in another stream.
 */
export function endWhenStalled(body: Readable, stallMs: number): void {
  const endMs = performance.now() + stallMs * WHOLE_BODY_STALLS;
  const timer = setTimeout(() => body.emit('error', stalled(stallMs)), stallMs);
  const stop = (): void => clearTimeout(timer);
  body.on('data', () => {
    if (performance.now() < endMs) timer.refresh();
    else body.emit('error', new Problem('request-timeout', 'The body comes too slowly.'));
  });
  body.once('end', stop).once('close', stop).once('error', stop);
}

function stalled(stallMs: number): Problem {
  return new Problem('request-timeout', `The body brought nothing for ${stallMs} ms.`);
}
