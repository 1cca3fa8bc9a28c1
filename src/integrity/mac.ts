import { hash, timingSafeEqual } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** 128 bits in hex. */
export const MAC_CHARACTERS = 32;
const NOTHING = Buffer.alloc(0);

/**
 * Distinguishes what this installation wrote from what anybody else did: HMAC-SHA-256 (RFC 2104), cut to 128 bits. Two
 * calls of crypto.hash compute it, because createHmac makes a native object for each text and takes seven times as long.
 */
export class Mac {
  private readonly keys: readonly KeyBlocks[];

  /** @param keys of 32 bytes. The first one signs; every one verifies, so that keys can be rotated. */
  constructor(keys: readonly [Buffer, ...Buffer[]]) {
    this.keys = keys.map(blocksOf);
  }

  /** @param label of one kind of content, so that the MAC of one kind is none of another kind */
  of(label: string, texts: readonly string[], bytes: Buffer = NOTHING): string {
    return macOf(this.keys[0] as KeyBlocks, headOf(label, texts), bytes);
  }

  verifies(mac: string, label: string, texts: readonly string[], bytes: Buffer = NOTHING): boolean {
    if (mac.length !== MAC_CHARACTERS) return false;
    const head = headOf(label, texts);
    const given = Buffer.from(mac, 'latin1');
    return this.keys.some((key) => timingSafeEqual(given, Buffer.from(macOf(key, head, bytes), 'latin1')));
  }
}

interface KeyBlocks {
  inner: Buffer;
  /** The outer block, followed by room for the inner digest. */
  outer: Buffer;
}

function blocksOf(key: Buffer): KeyBlocks {
  if (key.length > BLOCK_BYTES) throw new Error(`a key of ${key.length} bytes is longer than ${BLOCK_BYTES}`);
  const block = Buffer.concat([key, Buffer.alloc(BLOCK_BYTES - key.length)]);
  const outer = Buffer.concat([block.map((byte) => byte ^ OUTER), Buffer.alloc(DIGEST_BYTES)]);
  return { inner: Buffer.from(block.map((byte) => byte ^ INNER)), outer };
}

/** The lengths keep one text from passing for the end of another one. */
function headOf(label: string, texts: readonly string[]): string {
  let lengths = label;
  for (const { length } of texts) lengths += ` ${length}`;
  return `${lengths}\n${texts.join('')}`;
}

function macOf({ inner, outer }: KeyBlocks, head: string, bytes: Buffer): string {
  const headBytes = Buffer.byteLength(head);
  const signed = Buffer.allocUnsafe(BLOCK_BYTES + headBytes + bytes.length);
  inner.copy(signed);
  signed.write(head, BLOCK_BYTES, 'utf8');
  bytes.copy(signed, BLOCK_BYTES + headBytes);
  outer.write(hash('sha256', signed, 'binary'), BLOCK_BYTES, 'latin1');
  return hash('sha256', outer, 'hex').slice(0, MAC_CHARACTERS);
}
