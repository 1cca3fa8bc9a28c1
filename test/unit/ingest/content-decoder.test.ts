import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { CONTENT_ENCODINGS, contentDecoder, isDecodingError } from '../../../src/ingest/stream/content-decoder';

const TEXT = Buffer.from('{"text":"東京 👩‍👩‍👧"}\n'.repeat(2_000));
const ENCODED: Record<string, Buffer> = {
  gzip: gzipSync(TEXT),
  deflate: deflateSync(TEXT),
  br: brotliCompressSync(TEXT),
  zstd: zstdCompressSync(TEXT),
};

async function decode(encoding: string, chunks: Buffer[]): Promise<Buffer> {
  const decoder = contentDecoder(encoding);
  if (!decoder) throw new Error('nothing to decode');
  const [all] = await Promise.all([decoder.toArray(), pipeline(Readable.from(chunks), decoder)]);
  return Buffer.concat(all as Buffer[]);
}
/** Returns an error of this realm: errors of Node's own modules are not instances of the Error class in Jest tests. */
async function errorOf(encoding: string, bytes: Buffer): Promise<unknown> {
  try {
    return `no error, but ${(await decode(encoding, [bytes])).length} bytes`;
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return Object.assign(new Error(message), { code });
  }
}

it('supports the encodings of the contract', () => {
  expect(CONTENT_ENCODINGS.toSorted()).toEqual(['br', 'deflate', 'gzip', 'zstd']);
});

describe.each(Object.entries(ENCODED))('%s', (encoding, encoded) => {
  it('is decoded, however the bytes are split', async () => {
    expect((await decode(encoding, [encoded])).equals(TEXT)).toBe(true);
    const bytewise = Array.from(encoded, (byte) => Buffer.from([byte]));
    expect((await decode(encoding, bytewise)).equals(TEXT)).toBe(true);
  });

  it('fails with a decoding error for other or truncated input', async () => {
    const others = Object.entries(ENCODED).filter(([name]) => name !== encoding);
    const wrong = [TEXT, ...others.map(([, bytes]) => bytes)];
    const cut = [1, Math.floor(encoded.length / 2), encoded.length - 1].map((end) => encoded.subarray(0, end));
    for (const bytes of [...wrong, ...cut]) {
      const error = await errorOf(encoding, bytes);
      expect([error, isDecodingError(error)]).toEqual([expect.any(Error), true]);
    }
  });

  it('is recognised in upper case', () => expect(contentDecoder(encoding.toUpperCase())).toBeDefined());
});

it('detects a flipped bit where the encoding has a checksum', async () => {
  const flipped = Buffer.from(ENCODED.gzip as Buffer);
  flipped.writeUInt8(flipped.readUInt8(flipped.length - 5) ^ 1, flipped.length - 5);
  expect(isDecodingError(await errorOf('gzip', flipped))).toBe(true);
});

it.each([undefined, 'identity', 'Identity'])('returns no decoder for %s', (encoding) => {
  expect(contentDecoder(encoding)).toBeUndefined();
});

it.each(['', 'compress', 'gzip, br', 'gzip,gzip', 'constructor', '__proto__', 'toString'])(
  'rejects the encoding %j',
  (encoding) => {
    const refused = expect.objectContaining({ code: 'unsupported-content-encoding', status: 415 }) as Error;
    expect(() => contentDecoder(encoding)).toThrow(refused);
  },
);

it.each([
  new Error('x'),
  Object.assign(new Error('x'), { code: 'ECONNRESET' }),
  { code: 'Z_DATA_ERROR' },
  undefined,
  'Z_',
])('does not treat %j as a decoding error', (error) => expect(isDecodingError(error)).toBe(false));
