import { quoted } from '../../event/json/canonical-json';
import { charsetNamed, textOfBody } from './charset';
import { readHeaderValue, type HeaderValue } from './content-type';
import { readJsonText } from './json-body';
import type { BodyLimits, ParsedBody } from './parsed-body';

/** The type of a body without a Content-Type (RFC 9110). */
export const UNKNOWN_TYPE = 'application/octet-stream';

/**
 * Reads a body without a Content-Type, or text. Several providers send JSON as text, so an object or array is read as
 * JSON, unless it is nested too deep.
 */
export function readJsonOrPlain(bytes: Buffer, contentType: HeaderValue, limits: BodyLimits, sent: string): ParsedBody {
  const text = textOf(bytes, contentType);
  if (text !== undefined && /^[ \t\r\n]*[[{]/.test(text)) {
    const parsed = readJsonText(text, 'The body', limits);
    if (!('rejection' in parsed)) return parsed;
  }
  return { json: textOrBase64(bytes, sent), fromJson: false };
}

/** Returns a body without structure as JSON text. */
export function readPlain(bytes: Buffer, _contentType: HeaderValue, _limits: BodyLimits, sent: string): ParsedBody {
  return { json: textOrBase64(bytes, sent), fromJson: false };
}

/** Returns the JSON text of `{ "@contentType", "@text" }`, or with `@base64` for bytes that are not text. */
export function textOrBase64(bytes: Buffer, contentType: string): string {
  const text = textOf(bytes, readHeaderValue(contentType));
  const content = text === undefined ? `"@base64":"${bytes.toString('base64')}"` : `"@text":${quoted(text)}`;
  return `{"@contentType":${quoted(contentType)},${content}}`;
}

/** U+0000 cannot be stored in text. */
function textOf(bytes: Buffer, contentType: HeaderValue | undefined): string | undefined {
  const charset = charsetNamed(contentType?.parameters.get('charset'));
  const text = charset && textOfBody(bytes, charset);
  return text?.includes('\0') ? undefined : text;
}
