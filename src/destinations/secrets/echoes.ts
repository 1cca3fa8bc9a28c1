import { spellingsOf } from '../../observability/spellings';

const MASK = '***';
/** A shorter text may occur by chance. */
const MIN_LENGTH = 6;
/** A shorter part of a value, at the end of a response, may occur by chance. */
const MIN_CUT_LENGTH = 3;
const BASIC = /^basic +([\w+/]+=*)$/i;

/**
 * Returns the texts by which a response would repeat the values of headers, in the ways in which bodies spell them. The
 * longest come first.
 */
export function echoesOf(values: readonly string[]): string[] {
  const echoes = values
    .flatMap(partsOf)
    .filter(({ length }) => length >= MIN_LENGTH)
    .flatMap(spellingsOf);
  return [...new Set(echoes)].sort((a, b) => b.length - a.length);
}

/** A receiver may repeat a value as a whole or without its scheme, and of Basic credentials what they say. */
function partsOf(value: string): string[] {
  const parts = [value, value.slice(value.indexOf(' ') + 1)];
  const encoded = BASIC.exec(value)?.[1];
  if (encoded === undefined) return parts;
  const decoded = Buffer.from(encoded, 'base64').toString();
  return [...parts, decoded, decoded.slice(decoded.indexOf(':') + 1)];
}

/**
 * Masks echoes in the beginning of a response, also one that is cut at its end.
 * @param echoes of echoesOf
 */
export function withoutEchoes(text: string, echoes: readonly string[]): string {
  if (text === '' || echoes.length === 0) return text;
  let bytes = Buffer.from(text).toString('latin1'); // one character for each byte, as in the echoes
  for (const echo of echoes) bytes = bytes.replaceAll(echo, MASK);
  const cut = Math.max(...echoes.map((echo) => lengthOfCut(bytes, echo)));
  if (cut > 0) bytes = bytes.slice(0, -cut) + MASK;
  return Buffer.from(bytes, 'latin1').toString();
}

/** Returns the length of the longest beginning of an echo that a text ends with. */
function lengthOfCut(text: string, echo: string): number {
  const last = text.charCodeAt(text.length - 1);
  for (let length = Math.min(echo.length - 1, text.length); length >= MIN_CUT_LENGTH; length--) {
    if (echo.charCodeAt(length - 1) === last && text.endsWith(echo.slice(0, length))) return length;
  }
  return 0;
}
