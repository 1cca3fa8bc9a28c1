import { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Settings } from '../config/settings';
import { Problem } from '../event/problems';
import { encodedChunks, limitsOfWhole } from '../http/encoded-body';
import { isEncoded } from '../http/route-body';
import { firstByteOfJson, LargeBody, OPENING_BRACKET } from '../http/whole-body';
import { isKeptCode } from '../rejections/kept-codes';
import { EVENT_ARRAY, streamFormat, type RecordFormat } from './formats/stream-formats';
import { BrokenBody } from './rejected/broken-body';
import { MAX_MEASURED_EVENTS, OversizedBody } from './rejected/oversized-body';
import { EVENT_BODY } from './request-bodies';
import type { Decode } from './decoding/decode-body';
import type { Decoders } from './decoding/decoders';
import { Expansion } from './decoding/expansion';

const READ_AHEAD_CHUNKS = 2;

/** A body with many events. */
export interface EventsBody {
  request: Pick<FastifyRequest, 'method' | 'url' | 'ip' | 'headers'>;
  endpoint: 'event' | 'stream';
  format: RecordFormat;
  body: Readable;
  /** The Content-Encoding that is still to be decoded. */
  encoding: string | undefined;
  /** Bounds the decoding of a body that is being decoded already. */
  expansion?: Expansion;
}

/** @throws Problem `unsupported-media-type` */
export function streamBodyOf(request: FastifyRequest, endpoint: EventsBody['endpoint']): EventsBody {
  const { body, headers, mediaType } = request;
  const format = streamFormat(mediaType);
  if (!format) throw new Problem('unsupported-media-type', 'This Content-Type is not a stream format.');
  return { request, endpoint, format, body: body as Readable, encoding: headers['content-encoding'] };
}

/**
 * Returns the body of POST /v1/events if it holds many events, or an event that is too large, or if it is broken:
 * Problem `malformed-body`, `request-timeout`, `overloaded`, and `event-too-large` for encoded data that decodes to
 * nothing. Otherwise it holds one event, and its decoded bytes are in `request.body`.
 */
export async function readEventBody(
  request: FastifyRequest,
  settings: Settings,
  decoders: Pick<Decoders, 'decoder'>,
): Promise<EventsBody | OversizedBody | BrokenBody | undefined> {
  const { body, headers, mediaType, refusal } = request;
  if (body instanceof LargeBody) return oversizedBody(body, Number(headers['content-length']), settings);
  if (!(body instanceof Readable)) return undefined;
  const reading = refusal ? 'whole' : EVENT_BODY.reading(mediaType, headers);
  if (reading === 'stream') return streamBodyOf(request, 'event');
  const array = { request, endpoint: 'event' as const, format: EVENT_ARRAY, encoding: undefined };
  if (!isEncoded(headers)) return { ...array, body };
  const mayBeArray = reading === 'stream-if-array';
  const expansion = new Expansion(settings.MAX_EVENT_BYTES);
  const decode = decoders.decoder(headers['content-encoding'], request.tenantId ?? '', settings.MAX_EVENT_BYTES);
  const decoded = await readDecoded(body, decode && expansion.bound(decode), mayBeArray, settings);
  if (decoded instanceof Readable) return { ...array, body: decoded, expansion };
  if (decoded instanceof OversizedBody || decoded instanceof BrokenBody) return decoded;
  request.body = decoded;
  return undefined;
}

function oversizedBody(
  { unread }: LargeBody,
  announcedBytes: number,
  { MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS }: Settings,
): OversizedBody {
  const limits = limitsOfWhole(MAX_EVENT_BYTES * MAX_MEASURED_EVENTS, REQUEST_STALL_TIMEOUT_MS);
  return new OversizedBody([], encodedChunks(unread, REQUEST_STALL_TIMEOUT_MS, limits), announcedBytes);
}

/**
 * Decodes a body. Returns an array as a stream, the bytes of an event, or a body that is too large for an event. So far,
 * hardly more of that is decoded than an event may have, and so a small body that expands to gigabytes is harmless.
 */
async function readDecoded(
  body: Readable,
  decode: Decode | undefined,
  mayBeArray: boolean,
  { MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS }: Settings,
): Promise<Buffer | Readable | OversizedBody | BrokenBody> {
  const limits = limitsOfWhole(MAX_EVENT_BYTES, REQUEST_STALL_TIMEOUT_MS);
  const encoded = encodedChunks(body, REQUEST_STALL_TIMEOUT_MS, limits);
  const decoded = decode?.(encoded) ?? encoded;
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isUndecided = mayBeArray;
  while (bytes <= MAX_EVENT_BYTES) {
    const next = await decoded.next().catch((error: unknown) => new BrokenBody(problemOf(error), bytes));
    if (next instanceof BrokenBody) return next;
    if (next.done) return Buffer.concat(chunks, bytes);
    chunks.push(next.value);
    bytes += next.value.length;
    const first = isUndecided ? firstByteOfJson(next.value) : undefined;
    if (first === OPENING_BRACKET) {
      limits.maxBytes = limits.endMs = Infinity; // an array has the limits of a stream
      const array = Readable.from(followedBy(chunks, decoded), { highWaterMark: READ_AHEAD_CHUNKS });
      // Destroyed before it has come to `decoded`, followedBy would not end it.
      return array.once('close', () => void decoded.return(undefined));
    }
    isUndecided &&= first === undefined;
  }
  limits.maxBytes = limitsOfWhole(MAX_EVENT_BYTES * MAX_MEASURED_EVENTS, REQUEST_STALL_TIMEOUT_MS).maxBytes;
  return new OversizedBody(chunks, decoded);
}

async function* followedBy(chunks: Buffer[], rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks;
  yield* rest;
}

function problemOf(error: unknown): Problem {
  const problem =
    error instanceof Problem ? error : new Problem('malformed-body', 'The body ended before it was complete.');
  return isKeptCode(problem.code) ? problem.with({ kept: false }) : problem;
}
