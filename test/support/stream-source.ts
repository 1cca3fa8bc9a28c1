import { Readable } from 'node:stream';
import { StreamSource } from '../../src/ingest/stream/stream-source';

/** Creates a stream source that yields these chunks. */
export function streamSource(chunks: (Buffer | string)[], maxBytes = 10_000_000): StreamSource {
  const body = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return new StreamSource(body, undefined, { STREAM_MAX_BYTES: maxBytes, REQUEST_STALL_TIMEOUT_MS: 10_000 });
}
