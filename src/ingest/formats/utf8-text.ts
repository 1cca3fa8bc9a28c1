import { isUtf8 } from 'node:buffer';

/** Decodes UTF-8 chunk by chunk. Holds back an incomplete character until the next chunk; never replaces bytes. */
export class Utf8Text {
  private rest: Buffer = Buffer.alloc(0);

  get isComplete(): boolean {
    return this.rest.length === 0;
  }

  /** If `isValid` is false, `text` ends before the first invalid byte. */
  decode(bytes: Buffer): { text: string; isValid: boolean } {
    const all = this.isComplete ? bytes : Buffer.concat([this.rest, bytes]);
    const whole = wholeCharacters(all);
    this.rest = Buffer.from(all.subarray(whole.length));
    return isUtf8(whole)
      ? { text: whole.toString(), isValid: true }
      : { text: validStart(whole).toString(), isValid: false };
  }
}

/** Strips an incomplete character of 1 to 3 bytes from the end. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes.at(-back) as number;
    if (byte < 0x80) return bytes;
    if (byte < 0xc0) continue; // a continuation byte
    const length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return length > back ? bytes.subarray(0, -back) : bytes;
  }
  return bytes;
}

function validStart(bytes: Buffer): Buffer {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isUtf8(wholeCharacters(bytes.subarray(0, middle)))) good = middle;
    else bad = middle;
  }
  return wholeCharacters(bytes.subarray(0, good));
}
