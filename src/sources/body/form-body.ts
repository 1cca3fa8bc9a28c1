import { quoted } from '../../event/json/canonical-json';
import type { RecordRejection } from '../../event/prepare-event';
import { CHARSET_NAMES, charsetNamed, decoded, isUtf16, textOfBody, type Charset } from './charset';
import type { HeaderValue } from './content-type';
import { objectOfFields } from './form-fields';
import { malformedBody, rejected, shown, type BodyLimits, type ParsedBody } from './parsed-body';

export const FORM_TYPE = 'application/x-www-form-urlencoded';

const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;

/** One field of an URL-encoded form. A value that is not text in the charset of the form is given as bytes. */
export interface FormField {
  name: string;
  value: string | Buffer;
}

export function readForm(bytes: Buffer, contentType: HeaderValue, limits: BodyLimits): ParsedBody {
  const form = readFormFields(bytes, contentType, limits);
  if ('rejection' in form) return form;
  return objectOfFields(form.fields.map(({ name, value }) => ({ name, json: jsonOfValue(value) })));
}

/** Returns the fields of an URL-encoded form in the order sent. */
export function readFormFields(
  bytes: Buffer,
  { parameters }: HeaderValue,
  { maxFields }: BodyLimits,
): { fields: FormField[] } | { rejection: RecordRejection } {
  const name = parameters.get('charset');
  const charset = charsetNamed(name);
  if (!charset)
    return malformedBody(`The charset ${shown(String(name))} is not supported for forms: use ${CHARSET_NAMES}.`);
  if (!isUtf16(charset)) return fieldsOf(bytes, charset, maxFields);
  const text = textOfBody(bytes, charset);
  return text === undefined
    ? malformedBody(`The form is not valid ${charset}, the charset of its Content-Type.`)
    : fieldsOf(Buffer.from(text), 'utf-8', maxFields);
}

function fieldsOf(
  bytes: Buffer,
  charset: Charset,
  maxFields: number,
): { fields: FormField[] } | { rejection: RecordRejection } {
  const fields: FormField[] = [];
  for (let start = 0; start < bytes.length;) {
    const next = bytes.indexOf(AMPERSAND, start);
    const end = next === -1 ? bytes.length : next;
    if (end > start) {
      if (fields.length === maxFields) return rejected('invalid-event', `The form has more than ${maxFields} fields.`);
      const field = fieldOf(bytes.subarray(start, end), charset);
      if (!field) return malformedBody(`The name of the form field at byte ${start} is not valid ${charset}.`);
      fields.push(field);
    }
    start = end + 1;
  }
  return { fields };
}

function fieldOf(pair: Buffer, charset: Charset): FormField | undefined {
  const equals = pair.indexOf(EQUALS);
  const name = decoded(unescaped(equals === -1 ? pair : pair.subarray(0, equals)), charset);
  if (name === undefined) return undefined;
  const value = unescaped(equals === -1 ? pair.subarray(pair.length) : pair.subarray(equals + 1));
  return { name, value: decoded(value, charset) ?? value };
}

/** An invalid percent escape stands for itself, as browsers read it: `100%` is more likely meant than broken. */
function unescaped(bytes: Buffer): Buffer {
  if (!bytes.includes(PERCENT) && !bytes.includes(PLUS)) return bytes;
  const result = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    const escaped = byte === PERCENT ? escapedByte(bytes, i) : -1;
    if (escaped >= 0) i += 2;
    result[length++] = escaped >= 0 ? escaped : byte === PLUS ? 0x20 : byte;
  }
  return result.subarray(0, length);
}

/** Returns the byte that an escape stands for, or -1. */
function escapedByte(bytes: Buffer, at: number): number {
  const high = hexDigit(bytes[at + 1]);
  const low = hexDigit(bytes[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(byte = 0): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function jsonOfValue(value: string | Buffer): string {
  return typeof value === 'string' ? quoted(value) : `{"@base64":"${value.toString('base64')}"}`;
}
