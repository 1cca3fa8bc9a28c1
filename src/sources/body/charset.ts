import { isUtf8 } from 'node:buffer';

/** The charsets of bodies that are not JSON. */
export type Charset = 'utf-8' | 'windows-1252' | 'utf-16' | 'utf-16le' | 'utf-16be';

/** Names of charsets. As in browsers, ISO 8859-1 is windows-1252, which has characters where the other has controls. */
const CHARSETS: ReadonlyMap<string, Charset> = new Map<string, Charset>([
  ['utf-8', 'utf-8'],
  ['utf8', 'utf-8'],
  ['us-ascii', 'utf-8'],
  ['ascii', 'utf-8'],
  ['iso-8859-1', 'windows-1252'],
  ['iso8859-1', 'windows-1252'],
  ['iso_8859-1', 'windows-1252'],
  ['latin1', 'windows-1252'],
  ['windows-1252', 'windows-1252'],
  ['cp1252', 'windows-1252'],
  ['utf-16', 'utf-16'],
  ['utf-16le', 'utf-16le'],
  ['utf-16be', 'utf-16be'],
]);

export const CHARSET_NAMES = 'utf-8, iso-8859-1, windows-1252 and utf-16';

/** Returns the charset of a name, UTF-8 without a name, or undefined when it is not supported. */
export function charsetNamed(name: string | undefined): Charset | undefined {
  return name === undefined || name === '' ? 'utf-8' : CHARSETS.get(name.toLowerCase());
}

export function isUtf16(charset: Charset): boolean {
  return charset.startsWith('utf-16');
}

/** Returns the text of a whole body without its BOM, or undefined when the bytes are not text in the charset. */
export function textOfBody(bytes: Buffer, charset: Charset): string | undefined {
  const text = decoded(bytes, charset);
  return text?.startsWith('\ufeff') ? text.slice(1) : text;
}

/** Returns the text of a part of a body, or undefined when the bytes are not text in the charset. */
export function decoded(bytes: Buffer, charset: Charset): string | undefined {
  if (charset === 'utf-8') return isUtf8(bytes) ? bytes.toString() : undefined;
  try {
    return new TextDecoder(labelOf(bytes, charset), { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return undefined;
    throw error;
  }
}

/** Without a BOM, UTF-16 is little-endian, as in browsers. */
function labelOf(bytes: Buffer, charset: Charset): string {
  if (charset !== 'utf-16') return charset;
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-16le';
}
