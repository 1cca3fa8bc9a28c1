import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { largestSourceBody } from '../../config/largest-source-body';
import { Problem } from '../../event/problems';
import { encodedChunks, limitsOfWhole } from '../../http/encoded-body';
import type { RouteBody } from '../../http/route-body';
import { refusedEncoding } from '../../ingest/decoding/content-decoder';
import type { Decode } from '../../ingest/decoding/decode-body';

/** Bodies of requests to a source. */
export const SOURCE_BODY: RouteBody = {
  mediaTypes: [],
  takesBody: () => true,
  reading: () => 'whole',
  maxBytes: largestSourceBody,
  refusedEncoding,
};

export interface SourceBodyLimits {
  /** Bytes after decoding. */
  maxBytes: number;
  stallMs: number;
  /** Returns what decodes a Content-Encoding; undefined when there is nothing to decode. */
  decoder: (encoding: string | undefined) => Decode | undefined;
}

const MEDIA_TYPE = /^\s*[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/;

/**
 * Removes a Content-Type that is not one: Fastify would answer 415, but a source takes any body. To be called before
 * anything reads `request.mediaType`.
 */
export function dropBrokenContentType(headers: IncomingHttpHeaders): void {
  const sent = headers['content-type'];
  if (sent !== undefined && !MEDIA_TYPE.test(sent)) delete headers['content-type'];
}

/**
 * Returns the body of a request to a source. One with a Content-Encoding is decoded first: at most one byte more than
 * allowed, so a small body that expands to gigabytes costs no more than a large one.
 * @param body the bytes, or the unread stream of an encoded body; anything else when the request has no body
 * @throws Problem `event-too-large`, `malformed-body`, `unsupported-content-encoding`, `request-timeout`, `overloaded`
 */
export function readSourceBody(
  body: unknown,
  headers: IncomingHttpHeaders,
  limits: SourceBodyLimits,
): Buffer | Promise<Buffer> {
  if (Buffer.isBuffer(body)) return body;
  return isReadable(body) ? readEncoded(body, headers, limits) : NO_BODY;
}

const NO_BODY = Buffer.alloc(0);

function isReadable(body: unknown): body is Readable {
  return typeof (body as Readable | null | undefined)?.read === 'function';
}

async function readEncoded(
  body: Readable,
  headers: IncomingHttpHeaders,
  { maxBytes, stallMs, decoder }: SourceBodyLimits,
): Promise<Buffer> {
  const encoded = encodedChunks(body, stallMs, limitsOfWhole(maxBytes, stallMs));
  const decoded = decoder(headers['content-encoding'])?.(encoded) ?? encoded;
  const chunks: Buffer[] = [];
  let bytes = 0;
  while (bytes <= maxBytes) {
    const next = await decoded.next().catch(endedEarly);
    if (next.done) return Buffer.concat(chunks, bytes);
    chunks.push(next.value);
    bytes += next.value.length;
  }
  void decoded.return(undefined); // releases the decoder's memory; not awaited, since it may still wait for the sender
  throw new Problem('event-too-large', `The body is larger than the maximum of ${maxBytes} bytes.`);
}

function endedEarly(error: unknown): never {
  throw error instanceof Problem ? error : new Problem('malformed-body', 'The body ended before it was complete.');
}
