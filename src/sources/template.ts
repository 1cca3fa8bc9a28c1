import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { JsonDocument } from '../expressions/json-document';
import { parsePointer } from '../expressions/pointer';
import type { ReceivedRequest } from './received-request';
import { scalarText } from './scalar-text';

/**
 * Templates describe a text that is made of parts of a request, such as `{header:x-time}.{body}`:
 *
 *   {body}            the body as received         {body:/a/b}        a value in it, by JSON Pointer
 *   {url} {path}      as the producer called it    {method}           in upper case
 *   {header:name}     a header                     {header:name/t}    the part `t` of a header `t=…,v1=…`
 *   {query:name}      a query parameter            {form}             names and values of a form, sorted and joined
 *   {sha256} {crc32}  of the body; in hex and as a decimal number
 *
 * Everything else stands for itself.
 */
export interface Template {
  /** Returns the bytes, or the name of the first part that the request does not have. */
  render(request: ReceivedRequest, record?: JsonDocument): RenderedText;
}

export type RenderedText = { bytes: Buffer } | { missing: string };

/** Returns the value of a part; undefined if the request does not have it. */
type Part = (request: ReceivedRequest, record: JsonDocument | undefined) => string | Buffer | undefined;

export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** @throws TemplateError for a part that does not exist */
export function compileTemplate(text: string): Template {
  const parts = text.split(/(\{[^{}]*\})/).filter((piece) => piece !== '');
  const read = parts.map((piece) => (piece.startsWith('{') && piece.endsWith('}') ? partOf(piece) : literal(piece)));
  return {
    render(request, record) {
      const values: (string | Buffer)[] = [];
      for (const [i, part] of read.entries()) {
        const value = part(request, record);
        if (value === undefined) return { missing: (parts[i] as string).slice(1, -1) };
        values.push(value);
      }
      return { bytes: joined(values) };
    },
  };
}

const literal =
  (text: string): Part =>
  () =>
    text;

function joined(values: readonly (string | Buffer)[]): Buffer {
  const [first] = values;
  if (values.length === 1 && Buffer.isBuffer(first)) return first;
  return Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : value)));
}

const WHOLE_PARTS: Record<string, Part> = {
  body: ({ facts }) => facts.body,
  url: ({ facts }) => facts.url,
  path: ({ facts }) => facts.path,
  method: ({ facts }) => facts.method,
  form: (request) => sortedForm(request),
  sha256: ({ facts }) => hash('sha256', facts.body, 'hex'),
  crc32: ({ facts }) => String(crc32(facts.body)),
};

const NAMED_PARTS: Record<string, (name: string) => Part> = {
  header: (name) => {
    const [header = '', part] = name.split('/');
    if (part === undefined) return (request) => request.header(header);
    return (request) => namedParts(request.header(header), part)[0];
  },
  query: (name) => (request) => request.query(name),
  body: (pointer) => {
    const parsed = parsePointer(pointer);
    if (!pointer.startsWith('/') || 'badEscapeAt' in parsed) {
      throw new TemplateError(`{body:${pointer}} must have a JSON Pointer after the colon, such as {body:/id}.`);
    }
    const { segments } = parsed;
    return (request, record) => textAt(request, record, segments);
  },
};

function partOf(piece: string): Part {
  const inside = piece.slice(1, -1);
  const colon = inside.indexOf(':');
  const kind = colon < 0 ? inside : inside.slice(0, colon);
  const name = colon < 0 ? '' : inside.slice(colon + 1);
  const whole = colon < 0 && Object.hasOwn(WHOLE_PARTS, kind) ? WHOLE_PARTS[kind] : undefined;
  const named = name !== '' && Object.hasOwn(NAMED_PARTS, kind) ? NAMED_PARTS[kind]?.(name) : undefined;
  const part = whole ?? named;
  if (part) return part;
  const known = [...Object.keys(WHOLE_PARTS), ...Object.keys(NAMED_PARTS).map((one) => `${one}:…`)].join(', ');
  throw new TemplateError(`${piece} is not a part of a request. Use one of ${known}, in braces.`);
}

/** Returns the values of a name in a header such as `t=1,v1=abc,v1=def`. The separator is a comma or a semicolon. */
export function namedParts(header: string | undefined, name: string): string[] {
  if (header === undefined) return [];
  return header.split(/[,;]/).flatMap((piece) => {
    const equals = piece.indexOf('=');
    return equals > 0 && piece.slice(0, equals).trim() === name ? [piece.slice(equals + 1).trim()] : [];
  });
}

function textAt(
  request: ReceivedRequest,
  record: JsonDocument | undefined,
  segments: readonly string[],
): string | undefined {
  const root = record ?? request.document();
  if ('rejection' in root) return undefined;
  const place = root.at(segments);
  return place && scalarText(place);
}

/** Twilio's form: every name followed by its values, in the order of the names. Repeated values count once. */
function sortedForm(request: ReceivedRequest): string | undefined {
  const root = request.document();
  if ('rejection' in root) return undefined;
  const form = root.value;
  if (typeof form !== 'object' || form === null || Array.isArray(form)) return undefined;
  const fields = Object.entries(form as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return fields
    .map(([name, value]) =>
      [value]
        .flat()
        .map((one) => name + String(one))
        .join(''),
    )
    .join('');
}
