import { isUtf8 } from 'node:buffer';

/** The texts of a rejection in which a subject may be. */
export interface KeptTexts {
  body: Buffer | null;
  requestJson: string | null;
}

/**
 * Whether a rejection mentions a subject anywhere, as a word of its own. Its bytes may be of any format and need not be
 * well-formed, so this searches the text as it is and with the escapes of JSON, XML and URLs undone. It may find a
 * subject in a text that is about something else: a rejection that is erased too much is the smaller harm.
 */
export function mentionsSubject(subject: string, { body, requestJson }: KeptTexts): boolean {
  const texts = [requestJson ?? '', ...(body === null ? [] : textsOf(body))];
  return texts.flatMap(spellings).some((text) => includesWord(text, subject));
}

function textsOf(bytes: Buffer): string[] {
  return isUtf8(bytes) ? [bytes.toString()] : [bytes.toString(), bytes.toString('latin1'), bytes.toString('utf16le')];
}

function spellings(text: string): string[] {
  return [text, withoutJsonEscapes(text), withoutXmlEscapes(text), withoutUrlEscapes(text)];
}

const ESCAPED: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' };

const withoutJsonEscapes = (text: string): string =>
  text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, hex: string | undefined, char: string | undefined) =>
    hex === undefined ? (ESCAPED[char ?? ''] ?? char ?? '') : String.fromCharCode(parseInt(hex, 16)),
  );

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const LAST_CODE_POINT = 0x10ffff;

const withoutXmlEscapes = (text: string): string =>
  text.replace(/&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(\w{1,5}));/g, (whole: string, ...found: unknown[]) => {
    const [hex, decimal, name] = found as (string | undefined)[];
    if (name !== undefined) return ENTITIES[name] ?? whole;
    const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
    return code <= LAST_CODE_POINT ? String.fromCodePoint(code) : whole;
  });

/** Decodes each run of %XX by itself, so that one that is no UTF-8 stays as it is and spoils no other. */
const withoutUrlEscapes = (text: string): string =>
  text.replaceAll('+', ' ').replace(/(?:%[0-9a-fA-F]{2})+/g, (run) => {
    const bytes = Buffer.from(run.replaceAll('%', ''), 'hex');
    return isUtf8(bytes) ? bytes.toString() : run;
  });

const WORD = /[\p{L}\p{N}]/u;

/** Whether `word` is in the text without a letter or digit before or after it that would make it a longer word. */
function includesWord(text: string, word: string): boolean {
  const first = WORD.test(word.charAt(0));
  const last = WORD.test(word.charAt(word.length - 1));
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const before = text.charAt(at - 1);
    const after = text.charAt(at + word.length);
    if (!(first && WORD.test(before)) && !(last && WORD.test(after))) return true;
  }
  return false;
}
