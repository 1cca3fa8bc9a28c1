import { constants, createInflate, createInflateRaw, createZstdDecompress } from 'node:zlib';
import { Problem } from '../../event/problems';
import { NativeDecoder, truncated, undecodable, type Decompressor } from './native-decoder';
import { NotAFrame, ZstdFrames } from './zstd-frames';

/**
 * Decodes a body chunk by chunk, to its last byte. Throws Problem `malformed-body` where the encoding breaks, after it
 * has yielded what was decoded before that place. Before each part, reports how many encoded bytes were used up so far.
 */
export type Decode = (encoded: AsyncIterable<Buffer>, onConsumed?: (bytes: number) => void) => AsyncGenerator<Buffer>;

/** Frames that a body may have, and one more for each 64 bytes in them: an empty frame costs as much as a record. */
const FREE_ZSTD_FRAMES = 1_000;
const BYTES_PER_ZSTD_FRAME = 64;

/** RFC 9659: at most 8 MiB. Otherwise the first bytes of a frame could demand 128 MiB for every open stream. */
const ZSTD_WINDOW_LOG = 23;

/** A coding whose decompressor finds the end of the data by itself. */
export interface StreamCoding {
  name: string;
  create: (firstByte: number) => Decompressor;
  /** True when zeros may follow the data, as programs that write whole blocks append them. */
  mayBePadded: boolean;
}

export async function* decodeStream(
  coding: StreamCoding,
  encoded: AsyncIterable<Buffer>,
  onConsumed?: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  let decoder: NativeDecoder | undefined;
  let offset = 0;
  try {
    for await (const chunk of encoded) {
      if (chunk.length === 0) continue;
      decoder ??= new NativeDecoder(coding.name, coding.create(chunk[0] as number), onConsumed);
      if (!decoder.hasEnded) yield* decoder.decode(chunk);
      if (decoder.hasEnded) refuseTrailing(coding, chunk, offset, decoder.consumed);
      offset += chunk.length;
    }
    if (!decoder) throw truncated(coding.name, 0);
    if (!decoder.hasEnded) yield* decoder.finish();
  } finally {
    decoder?.destroy();
  }
}

/** @param offset position of the chunk in the body; the data of the body ends at `end` */
function refuseTrailing({ name, mayBePadded }: StreamCoding, chunk: Buffer, offset: number, end: number): void {
  const rest = chunk.subarray(Math.max(0, end - offset));
  const unexpected = mayBePadded ? rest.findIndex((byte) => byte !== 0) : 0;
  if (unexpected === -1) return;
  const at = offset + chunk.length - rest.length + unexpected;
  throw new Problem('malformed-body', `The ${name} data of the body ends, but other data follows at byte ${at}.`);
}

/** Some clients send deflate data without the zlib header that RFC 9110 requires. */
export function createDeflateDecompress(firstByte: number): Decompressor {
  const hasHeader = (firstByte & 0x8f) === 0x08; // the method and a window size; no deflate encoder starts a block so
  return hasHeader ? createInflate() : createInflateRaw();
}

export async function* decodeZstd(
  encoded: AsyncIterable<Buffer>,
  onConsumed?: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const decoder = new NativeDecoder(
    'zstd',
    createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG } }),
    onConsumed,
  );
  const frames = new ZstdFrames();
  let decodedBytes = 0;
  let offset = 0;
  try {
    for await (const chunk of encoded) {
      for (let start = 0; start < chunk.length;) {
        const end = endOfFrame(frames, chunk, start, offset);
        if (frames.count > FREE_ZSTD_FRAMES + decodedBytes / BYTES_PER_ZSTD_FRAME) throw tooManyFrames(offset + start);
        for await (const part of decoder.decode(chunk.subarray(start, end))) {
          decodedBytes += part.length;
          yield part;
        }
        start = end;
      }
      offset += chunk.length;
    }
    if (frames.isInFrame || frames.count === 0) throw truncated('zstd', offset);
    yield* decoder.finish();
  } finally {
    decoder.destroy();
  }
}

function endOfFrame(frames: ZstdFrames, chunk: Buffer, start: number, offset: number): number {
  try {
    return frames.endOfFrame(chunk, start);
  } catch (error) {
    if (!(error instanceof NotAFrame)) throw error;
    throw undecodable('zstd', `at byte ${offset + start}`, error);
  }
}

function tooManyFrames(at: number): Problem {
  const limit = `${FREE_ZSTD_FRAMES} frames and one for each ${BYTES_PER_ZSTD_FRAME} bytes in them`;
  return new Problem('malformed-body', `The zstd data of the body has more than ${limit} at byte ${at}.`);
}
