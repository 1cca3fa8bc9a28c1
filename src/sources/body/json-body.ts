import { decodeUtf8 } from '../../event/json/json-text';
import { parseJson } from '../../event/json/parse-json';
import { withoutContent } from '../../event/prepare-event';
import type { HeaderValue } from './content-type';
import { malformedBody, rejected, type BodyLimits, type ParsedBody } from './parsed-body';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Charsets whose ASCII is that of UTF-8. Text of theirs that is not ASCII is not valid UTF-8. */
const LIKE_ASCII = /^(?:|utf-?8|(?:us-)?ascii|iso-?8859-\d+|latin-?\d|windows-125\d)$/i;

export function isJsonType(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType === 'text/json' || /^[^/]+\/.+\+json$/.test(mediaType);
}

export function readJson(bytes: Buffer, { parameters }: HeaderValue, limits: BodyLimits): ParsedBody {
  const charset = parameters.get('charset') ?? '';
  if (!LIKE_ASCII.test(charset))
    return malformedBody('JSON must be in UTF-8, but the Content-Type has another charset.');
  const text = decodeUtf8(bytes);
  return text === undefined
    ? malformedBody('The JSON body is not valid UTF-8.')
    : readJsonText(text, 'The body', limits);
}

/** @param what what the text is, for messages */
export function readJsonText(text: string, what: string, { maxDepth }: BodyLimits): ParsedBody {
  if (isDeeperThan(maxDepth, text)) return tooDeep(what, maxDepth); // before JSON.parse, which is slow on deep text
  try {
    return { json: text, fromJson: true, value: parseJson(text) };
  } catch (error) {
    return malformedBody(`${what} is not valid JSON: ${withoutContent(error)}.`);
  }
}

export function tooDeep(what: string, maxDepth: number): ParsedBody {
  return rejected('invalid-event', `${what} is nested deeper than ${maxDepth} levels.`);
}

/** True when text has more nesting levels. It need not be valid JSON. No recursion. */
export function isDeeperThan(maxDepth: number, text: string): boolean {
  if (!hasMoreThan(maxDepth, text)) return false;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) i = closingQuote(text, i);
    else if (c === 0x7d || c === 0x5d) depth -= 1;
    else if ((c === 0x7b || c === 0x5b) && ++depth > maxDepth) return true;
  }
  return false;
}

/** Whether a text has more opening brackets than that. Most texts do not, which takes a tenth of the time to find out. */
function hasMoreThan(count: number, text: string): boolean {
  let found = 0;
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (++found > count) return true;
  }
  return false;
}

function closingQuote(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) return i;
    if (c === BACKSLASH) i += 1;
  }
  return text.length;
}
