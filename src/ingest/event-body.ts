import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings';
import { isBinaryCloudEvent } from '../event/cloud-event/cloud-event';
import { Problem } from '../event/problems';
import { encodedChunks, limitsOfWhole } from '../http/encoded-body';
import { isEncoded, JSON_TYPE } from '../http/route-body';
import { firstByteOfJson, OPENING_BRACKET } from '../http/whole-body';
import { EVENT_ARRAY, streamFormat, type RecordFormat } from './formats/stream-formats';
import { EVENT_BODY } from './request-bodies';
import { contentDecoder } from './stream/content-decoder';

const READ_AHEAD_CHUNKS = 2;

/** A body with many events. */
export interface EventsBody {
  request: Pick<FastifyRequest, 'method' | 'url' | 'ip' | 'headers'>;
  endpoint: 'event' | 'stream';
  format: RecordFormat;
  body: Readable;
  /** The Content-Encoding that is still to be decoded. */
  encoding: string | undefined;
}

/** @throws Problem `unsupported-media-type` */
export function streamBodyOf(request: FastifyRequest, endpoint: EventsBody['endpoint']): EventsBody {
  const { body, headers, mediaType } = request;
  const format = streamFormat(mediaType);
  if (!format) throw new Problem('unsupported-media-type', 'This Content-Type is not a stream format.');
  return { request, endpoint, format, body: body as Readable, encoding: headers['content-encoding'] };
}

/**
 * Returns the body of POST /v1/events if it holds many events. Otherwise it holds one event, and its decoded bytes are
 * in `request.body`, at most one byte more than an event may have.
 */
export async function readEventBody(request: FastifyRequest, settings: Settings): Promise<EventsBody | undefined> {
  const { body, headers, mediaType } = request;
  if (!(body instanceof Readable)) return undefined;
  if (EVENT_BODY.reading(mediaType, headers) === 'stream') return streamBodyOf(request, 'event');
  const array = { request, endpoint: 'event' as const, format: EVENT_ARRAY, encoding: undefined };
  if (!isEncoded(headers)) return { ...array, body };
  const mayBeArray = mediaType === JSON_TYPE && !isBinaryCloudEvent(headers);
  const decoded = await readDecoded(body, headers['content-encoding'], mayBeArray, settings);
  if (decoded instanceof Readable) return { ...array, body: decoded };
  request.body = decoded;
  return undefined;
}

/**
 * Decodes a body. Returns an array as a stream; otherwise the bytes, up to one byte more than an event may have. The
 * rest of a larger body is not decoded, so a small body that expands to gigabytes costs no more than an event.
 */
async function readDecoded(
  body: Readable,
  encoding: string | undefined,
  mayBeArray: boolean,
  { MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS }: Settings,
): Promise<Buffer | Readable> {
  const limits = limitsOfWhole(MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS);
  const encoded = encodedChunks(body, REQUEST_STALL_TIMEOUT_MS, limits);
  const decoded = contentDecoder(encoding)?.(encoded) ?? encoded;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isUndecided = mayBeArray;
  while (bytes <= MAX_EVENT_BYTES) {
    const next = await decoded.next().catch(endedEarly);
    if (next.done) return Buffer.concat(chunks, bytes);
    chunks.push(next.value);
    bytes += next.value.length;
    const first = isUndecided ? firstByteOfJson(next.value) : undefined;
    if (first === OPENING_BRACKET) {
      limits.maxBytes = limits.endMs = Infinity; // an array has the limits of a stream
      return Readable.from(followedBy(chunks, decoded), { highWaterMark: READ_AHEAD_CHUNKS });
    }
    isUndecided &&= first === undefined;
  }
  void decoded.return(undefined); // releases the decoder's memory; not awaited, since it may still wait for the sender
  return Buffer.concat(chunks, bytes).subarray(0, MAX_EVENT_BYTES + 1);
}

async function* followedBy(chunks: Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
  yield* rest;
}

function endedEarly(error: unknown): never {
  if (error instanceof Problem && error.code === 'event-too-large') {
    throw new Problem(error.code, error.detail, { members: EVENT_BODY.tooLarge });
  }
  throw error instanceof Problem ? error : new Problem('malformed-body', 'The body ended before it was complete.');
}
