import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { Problem } from '../../event/problems';
import { createDeflateDecompress, decodeStream, decodeZstd, type Decode } from './decode-body';

export const CONTENT_ENCODINGS: readonly string[] = ['gzip', 'deflate', 'br', 'zstd'];

const GZIP = { name: 'gzip', create: () => createGunzip(), mayBePadded: true };
const DEFLATE = { name: 'deflate', create: createDeflateDecompress, mayBePadded: false };
const BROTLI = { name: 'br', create: () => createBrotliDecompress(), mayBePadded: false };

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['gzip', (...body) => decodeStream(GZIP, ...body)],
  ['x-gzip', (...body) => decodeStream(GZIP, ...body)], // the old name of gzip (RFC 9110)
  ['deflate', (...body) => decodeStream(DEFLATE, ...body)],
  ['br', (...body) => decodeStream(BROTLI, ...body)],
  ['zstd', decodeZstd],
]);

/**
 * Returns what decodes a Content-Encoding, or undefined when there is nothing to decode. The header is a list, in which
 * `identity` changes nothing. Two encodings over each other are refused: each may multiply the size of a body by 1,000.
 * @throws Problem `unsupported-content-encoding`
 */
export function contentDecoder(header: string | undefined): Decode | undefined {
  if (header === undefined) return undefined;
  const coding = codingIn(header);
  if (coding === undefined) throw unsupported(header);
  return DECODERS.get(coding);
}

/** Returns the problem of a Content-Encoding that cannot be decoded. */
export function refusedEncoding(header: string): Problem | null {
  return codingIn(header) === undefined ? unsupported(header) : null;
}

/** Returns the coding that a Content-Encoding names, `identity` for none, or undefined when it is not supported. */
export function codingIn(header: string): string | undefined {
  const listed = header.split(',').map((name) => name.trim().toLowerCase()); // names are case-insensitive (RFC 9110)
  const codings = listed.filter((name) => name !== 'identity' && name !== '');
  if (codings.length === 0) return listed.includes('identity') ? 'identity' : undefined;
  const [coding = ''] = codings;
  return codings.length === 1 && DECODERS.has(coding) ? coding : undefined;
}

function unsupported(header: string): Problem {
  const supported = CONTENT_ENCODINGS.join(', ');
  return new Problem(
    'unsupported-content-encoding',
    `The Content-Encoding ${JSON.stringify(header.slice(0, 40))} is not supported. It must be one of ${supported}.`,
    { headers: { 'Accept-Encoding': supported } },
  );
}
