import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import type * as Decoder from '../../src/ingest/decoding/content-decoder.js';
import type * as Expansions from '../../src/ingest/decoding/expansion.js';
import type * as Formats from '../../src/ingest/formats/stream-formats.js';
import type * as Prepare from '../../src/ingest/formats/prepare-records.js';
import type * as Source from '../../src/ingest/stream/stream-source.js';

/** The stages that a body passes before its events are stored. */
export type Stages = Pick<typeof Decoder, 'contentDecoder'> &
  Pick<typeof Expansions, 'Expansion'> &
  Pick<typeof Formats, 'streamFormat'> &
  Pick<typeof Prepare, 'PrepareRecords'> &
  Pick<typeof Source, 'StreamSource'>;

export const ENCODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  none: (body) => body,
  gzip: (body) => gzipSync(body),
  deflate: (body) => deflateSync(body),
  br: (body) => brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  zstd: (body) => zstdCompressSync(body),
};

/** As much as a socket gives at a time. */
const CHUNK_BYTES = 65_536;
const RULES = {
  MAX_EVENT_BYTES: 262_144,
  DEDUPE_STRATEGY: 'intent',
  DEDUPE_INCLUDE_EVENT_ID: true,
  DEDUPE_INCLUDE_OCCURRED_AT: true,
} as const;
const LIMITS = { STREAM_MAX_BYTES: 134_217_728, REQUEST_STALL_TIMEOUT_MS: 30_000 };
const CONTEXT = { tenantId: 'acme', correlationId: 'filler', traceparent: undefined, idempotencyKey: undefined };

export interface Reading {
  /** CPU time of the process for one decompressed byte, in ns. */
  nsPerByte: number;
  /** CPU time of the process for one record, in ns. */
  nsPerRecord: number;
  /** Most CPU time that the main thread spent in one turn of the event loop, in ms. */
  holdMs: number;
  records: number;
  /** Decoded bytes that were read. */
  bytes: number;
  /** Code of the problem that ended the body. */
  endedBy: string | undefined;
}

/**
 * Passes a body through the stages up to the prepared events, which are dropped. None of them is accepted, so an encoded
 * body may expand only `withinExpansion`.
 */
export async function readBody(
  stages: Stages,
  mediaType: string,
  encoding: string,
  encoded: Buffer,
  withinExpansion = false,
): Promise<Reading> {
  const format = stages.streamFormat(mediaType);
  if (!format) throw new Error(`${mediaType} is not a stream format`);
  const decode = stages.contentDecoder(encoding);
  const bounded = decode && withinExpansion ? new stages.Expansion(RULES.MAX_EVENT_BYTES).bound(decode) : decode;
  const source = new stages.StreamSource(chunksOf(encoded), bounded, LIMITS);
  const turns = new Turns();
  let records = 0;
  const before = process.cpuUsage();
  await pipeline(
    Readable.from(source.chunks()),
    format.records(RULES.MAX_EVENT_BYTES, source),
    new stages.PrepareRecords((record) => format.prepare(record.bytes, CONTEXT, RULES, record.receivedBytes)),
    new Writable({
      objectMode: true,
      highWaterMark: 4,
      write: (prepared: unknown[], _encoding, done) => {
        records += prepared.length;
        setImmediate(done); // a commit ends in another turn of the event loop
      },
    }),
  );
  const { user, system } = process.cpuUsage(before);
  const ns = (user + system) * 1_000;
  return {
    nsPerByte: ns / source.bytes,
    nsPerRecord: ns / records,
    holdMs: turns.stop(),
    records,
    bytes: source.bytes,
    endedBy: source.brokenBy?.code,
  };
}

/** One chunk in each turn of the event loop, as from a socket. */
function chunksOf(bytes: Buffer): Readable {
  let at = 0;
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      setImmediate(() => {
        this.push(at < bytes.length ? bytes.subarray(at, at + CHUNK_BYTES) : null);
        at += CHUNK_BYTES;
      });
    },
  });
}

/** Measures every turn of the event loop. CPU time, since other processes may delay a turn. */
class Turns {
  private longest = 0;
  private last = process.threadCpuUsage();
  private next = setImmediate(() => this.turn());

  stop(): number {
    clearImmediate(this.next);
    return this.longest / 1_000;
  }

  private turn(): void {
    const now = process.threadCpuUsage();
    this.longest = Math.max(this.longest, now.user + now.system - this.last.user - this.last.system);
    this.last = now;
    this.next = setImmediate(() => this.turn());
  }
}
