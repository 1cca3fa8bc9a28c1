import type { Readable } from 'node:stream';
import { Problem } from '../event/problems';
import { bodyChunks } from './request-body';
import { WHOLE_BODY_STALLS } from './whole-body';

/** Encoded data is hardly ever longer than what it stands for. Some encoders flush after every few bytes. */
const MAX_EXPANSION = 2;
const FREE_BYTES = 1_024;

/** Limits of an encoded body. They may be lifted while it is read, when it turns out to be a stream. */
export interface EncodedLimits {
  maxBytes: number;
  /** By performance.now(). */
  endMs: number;
}

/** Returns the limits of a body that is read whole. It may have `maxBytes` after decoding. */
export function limitsOfWhole(maxBytes: number, stallMs: number): EncodedLimits {
  return { maxBytes: maxBytes * MAX_EXPANSION + FREE_BYTES, endMs: performance.now() + stallMs * WHOLE_BODY_STALLS };
}

/**
 * Yields the chunks of a body before they are decoded. Since encoded data may decode to nothing for ever, a limit of the
 * decoded bytes is not enough.
 * @throws Problem `event-too-large`, `request-timeout`
 */
export async function* encodedChunks(body: Readable, stallMs: number, limits: EncodedLimits): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of bodyChunks(body, stallMs)) {
    // Not before the first chunk beyond the limit was decoded: it may show that the body is a stream.
    if (bytes > limits.maxBytes) {
      throw new Problem('event-too-large', `The encoded body is larger than the maximum of ${limits.maxBytes} bytes.`);
    }
    if (performance.now() > limits.endMs) throw new Problem('request-timeout', 'The body arrived too slowly.');
    bytes += chunk.length;
    yield chunk;
  }
}
