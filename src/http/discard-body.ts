import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

/**
 * Limits on the rest of a body that is discarded after a refusal. A client that writes its whole body before it reads
 * gets the response only if the server reads on: closing a connection with unread bytes resets it, and a reset destroys
 * a response that the client has not read yet.
 */
const MAX_DISCARDED_BYTES = 67_108_864;
const MAX_DISCARD_MS = 10_000;
/** Maximum time without a byte. */
const MAX_IDLE_MS = 2_000;

/** Node discards a body that nobody has begun to read. Up to this length it may, and the connection stays open. */
const SMALL_BODY_BYTES = 65_536;

/** True when the rest of the body has to be discarded before the connection is closed. */
export function hasLongRest(request: IncomingMessage): boolean {
  if (request.complete || request.destroyed) return false;
  if (request.readableDidRead || request.headers['transfer-encoding'] !== undefined) return true;
  return Number(request.headers['content-length'] ?? 0) > SMALL_BODY_BYTES;
}

/** Reads and discards the rest of a body. Resolves at its end, or when a limit is reached. Never rejects. */
export function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    let discarded = 0;
    const count = (chunk: Buffer): void => {
      discarded += chunk.length;
      if (discarded > MAX_DISCARDED_BYTES) stop();
      else idle.refresh();
    };
    const stop = (): void => {
      clearTimeout(idle);
      clearTimeout(deadline);
      request.off('data', count);
      resolve();
    };
    const idle = setTimeout(stop, MAX_IDLE_MS);
    const deadline = setTimeout(stop, MAX_DISCARD_MS);
    request.once('end', stop).once('close', stop).once('error', stop);
    request.removeAllListeners('readable'); // an iterator that stopped reading still has one, which prevents flowing
    request.on('data', count).resume();
  });
}

/**
 * Returns a payload that is sent at once but ends only when the rest of the request has been discarded. Until then, Node
 * does not close the connection. The response needs a Content-Length, by which the client knows that it is complete.
 */
export function thenDiscard(text: string, request: IncomingMessage): Readable {
  const payload = new Readable({ read: () => undefined });
  payload.push(text);
  void discardBody(request).then(() => payload.push(null));
  return payload;
}
