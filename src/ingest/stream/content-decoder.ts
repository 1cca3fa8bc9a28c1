import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { Problem } from '../../event/problems';

const DECODERS: Record<string, () => Transform> = {
  gzip: () => createGunzip(),
  deflate: () => createInflate(),
  br: () => createBrotliDecompress(),
  zstd: () => createZstdDecompress(),
};

export const CONTENT_ENCODINGS = Object.keys(DECODERS);

/**
 * Returns the stage that decodes a Content-Encoding, or undefined when there is nothing to decode.
 * @throws Problem `unsupported-content-encoding`
 */
export function contentDecoder(header: string | undefined): Transform | undefined {
  const encoding = header?.toLowerCase(); // the names of codings are case-insensitive (RFC 9110)
  if (encoding === undefined || encoding === 'identity') return undefined;
  const create = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding] : undefined;
  if (!create) {
    throw new Problem(
      'unsupported-content-encoding',
      `The Content-Encoding must be one of ${CONTENT_ENCODINGS.join(', ')}.`,
    );
  }
  return create();
}

/** True for the errors that zlib, Brotli and Zstandard report for invalid or truncated input. */
export function isDecodingError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^(Z_|ERR__|ZSTD_)/.test(String(error.code));
}
