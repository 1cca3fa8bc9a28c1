import type { Readable } from 'node:stream';
import { isSpace } from '../event/json/white-space';
import { Problem } from '../event/problems';
import type { BufferHold } from '../runtime/buffer-budget';
import { stalled } from './request-body';

/** Total time for a body that is read whole, in multiples of the stall timeout. It ends a body that trickles in. */
export const WHOLE_BODY_STALLS = 4;

export interface WholeBodyLimits {
  maxBytes: number;
  stallMs: number;
  /** The Content-Length, or NaN. */
  announcedBytes: number;
  /** True when the route reads an array as a stream. */
  mayBeArray: boolean;
  /** True when the route gets a body that is too large as a LargeBody. */
  takesLarge?: boolean;
  /** Where its bytes count while it arrives. Released in any case. */
  hold: BufferHold;
}

/** A body that is larger than the maximum, as the unread stream. */
export class LargeBody {
  constructor(readonly unread: Readable) {}
}

/**
 * Reads a body whole. If it may be an array and begins with a bracket, hands it over as the unread stream instead.
 * Reports `request-timeout` when no byte arrives for `stallMs`, or when the body is incomplete after four times that,
 * `event-too-large`, and `overloaded` when the process holds too much already. Uses one timer per request, which costs a
 * small request less than another stream.
 */
export function readWholeBody(
  body: Readable,
  { maxBytes, stallMs, announcedBytes, mayBeArray, takesLarge = false, hold }: WholeBodyLimits,
  done: (error: Error | null, body?: Buffer | Readable | LargeBody) => void,
): void {
  const isTooLarge = announcedBytes > maxBytes;
  if (isTooLarge && !mayBeArray) return takesLarge ? done(null, new LargeBody(body)) : done(tooLarge(maxBytes));
  const endMs = performance.now() + stallMs * WHOLE_BODY_STALLS;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isUndecided = mayBeArray;
  const timer = setTimeout(() => finish(stalled(stallMs)), stallMs);

  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (!hold.grow(chunk.length)) return finish(overloaded());
    if (isUndecided) {
      const first = firstByteOfJson(chunk);
      if (first === OPENING_BRACKET) return handOver(body);
      isUndecided = first === undefined;
    }
    if (bytes > maxBytes || (isTooLarge && !isUndecided)) {
      return takesLarge ? handOver(new LargeBody(body)) : finish(tooLarge(maxBytes));
    }
    if (performance.now() < endMs) timer.refresh();
    else finish(new Problem('request-timeout', 'The body arrived too slowly.'));
  };
  const onEnd = (): void => finish(null, Buffer.concat(chunks, bytes));
  const onBroken = (): void => finish(new Problem('malformed-body', 'The body ended before it was complete.'));

  body.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);

  function stop(): void {
    clearTimeout(timer);
    hold.release();
    body.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
  }
  function finish(error: Error | null, whole?: Buffer): void {
    stop();
    done(error, whole);
  }
  function handOver(unread: Readable | LargeBody): void {
    stop();
    body.pause();
    body.unshift(Buffer.concat(chunks, bytes));
    done(null, unread);
  }
}

export const OPENING_BRACKET = 0x5b;

/** Returns the first byte that is neither white space nor part of a BOM. */
export function firstByteOfJson(chunk: Buffer): number | undefined {
  for (const byte of chunk) if (!isSpace(byte) && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) return byte;
  return undefined;
}

/** Returns the problem of a body for which this process has no memory. */
export function overloaded(): Problem {
  return new Problem('overloaded', 'Too many bodies are being received. Send the request again later.', {
    retryAfterSeconds: 1,
  });
}

function tooLarge(maxBytes: number): Problem {
  return new Problem('event-too-large', `The body is larger than the maximum of ${maxBytes} bytes.`);
}
