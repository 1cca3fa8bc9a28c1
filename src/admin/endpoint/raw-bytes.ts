import { isUtf8 } from 'node:buffer';

/** Bytes as a response shows them: as text if they are UTF-8, else in base64. The other one is null. */
export function rawBytes(bytes: Buffer): { rawText: string | null; rawBase64: string | null } {
  if (isUtf8(bytes)) return { rawText: bytes.toString(), rawBase64: null };
  return { rawText: null, rawBase64: bytes.toString('base64') };
}

/** The same for bytes that may have been cut within a character. */
export function rawBeginning(bytes: Buffer, isCut: boolean): { rawText: string | null; rawBase64: string | null } {
  return isCut ? rawBytes(withoutBrokenEnd(bytes)) : rawBytes(bytes);
}

function withoutBrokenEnd(bytes: Buffer): Buffer {
  for (let end = bytes.length; end > bytes.length - 4 && end > 0; end--) {
    const byte = bytes[end - 1] as number;
    if (byte < 0x80) return isUtf8(bytes) ? bytes : bytes.subarray(0, end);
    if (byte >= 0xc0) return isUtf8(bytes) ? bytes : bytes.subarray(0, end - 1);
  }
  return bytes;
}
