import { hash } from 'node:crypto';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const INNER = 0x36;
const OUTER = 0x5c;
/** 128 bits in hex. */
export const MAC_CHARACTERS = 32;
const NOTHING = Buffer.alloc(0);
/** Room for a text and bytes of usual size, so that they need no buffer of their own. */
const ROOM_BYTES = 8_192;
const MOST_BYTES_PER_CHARACTER = 3;

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
    return this.keys.some((key) => isSame(mac, macOf(key, head, bytes)));
  }
}

interface KeyBlocks {
  /** The inner block, followed by room for what is signed. */
  inner: Buffer;
  /** The outer block, followed by room for the inner digest. */
  outer: Buffer;
}

function blocksOf(key: Buffer): KeyBlocks {
  if (key.length > BLOCK_BYTES) throw new Error(`a key of ${key.length} bytes is longer than ${BLOCK_BYTES}`);
  const block = Buffer.concat([key, Buffer.alloc(BLOCK_BYTES - key.length)]);
  const blockWith = (pad: number, room: number): Buffer =>
    Buffer.concat([block.map((byte) => byte ^ pad), Buffer.alloc(room)]);
  return { inner: blockWith(INNER, ROOM_BYTES), outer: blockWith(OUTER, DIGEST_BYTES) };
}

/** The lengths keep one text from passing for the end of another one. */
function headOf(label: string, texts: readonly string[]): string {
  let lengths = label;
  let all = '';
  for (const text of texts) {
    lengths += ` ${text.length}`;
    all += text;
  }
  return `${lengths}\n${all}`;
}

function macOf({ inner, outer }: KeyBlocks, head: string, bytes: Buffer): string {
  const room = MOST_BYTES_PER_CHARACTER * head.length + bytes.length;
  const signed = room <= ROOM_BYTES ? inner : Buffer.allocUnsafe(BLOCK_BYTES + room);
  if (signed !== inner) inner.copy(signed, 0, 0, BLOCK_BYTES);
  const headEnd = BLOCK_BYTES + signed.write(head, BLOCK_BYTES);
  signed.set(bytes, headEnd);
  outer.write(hash('sha256', signed.subarray(0, headEnd + bytes.length), 'binary'), BLOCK_BYTES, 'latin1');
  return hash('sha256', outer, 'hex').slice(0, MAC_CHARACTERS);
}

/** Compares texts of the same length in a time that does not depend on where they differ. */
function isSame(a: string, b: string): boolean {
  let difference = 0;
  for (let i = 0; i < MAC_CHARACTERS; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
