import { codingIn } from './content-decoder';

/** Node leaves the extension of Brotli to larger windows off. That of zstd is limited in decode-body.ts. */
const LARGEST_BYTES: Readonly<Record<string, number>> = { br: 16_777_216, zstd: 8_388_608 };
const SMALL_BYTES = 32_768;

/** What a decompressor holds of the decoded bytes, at most. */
export class Window {
  /** The largest of the coding, until the body has said which it uses. */
  bytes: number;
  private readonly isBrotli: boolean;

  /** @param header the Content-Encoding */
  constructor(header: string | undefined) {
    const coding = header === undefined ? undefined : codingIn(header);
    this.bytes = (coding === undefined ? undefined : LARGEST_BYTES[coding]) ?? SMALL_BYTES;
    this.isBrotli = coding === 'br';
  }

  /** Reads the size of the window from the encoded bytes, which it passes on. */
  seen(encoded: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    return this.isBrotli ? this.read(encoded) : encoded;
  }

  private async *read(encoded: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let isRead = false;
    for await (const part of encoded) {
      if (!isRead && part.length > 0) {
        this.bytes = brotliWindow(part[0] as number);
        isRead = true;
      }
      yield part;
    }
  }
}

/** The size of the window is in the first bits of a Brotli stream (WBITS, RFC 7932, 9.1). */
export function brotliWindow(first: number): number {
  if ((first & 1) === 0) return 1 << 16;
  const high = (first >> 1) & 7;
  if (high !== 0) return 1 << (17 + high);
  const low = (first >> 4) & 7;
  return 1 << (low === 0 ? 17 : 8 + low);
}
