import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { JsonDocument } from '../../expressions/json-document';
import { parsePointer } from '../../expressions/pointer';
import type { ReceivedRequest } from './received-request';
import { scalarText } from './scalar-text';

/** What a template is rendered from. */
interface PartScope {
  request: ReceivedRequest;
  record: JsonDocument | undefined;
  secret: string | undefined;
}

/** Returns the value of a part; undefined if the request does not have it. */
export type Part = (scope: PartScope) => string | Buffer | undefined;

export class TemplateError extends Error {
  override readonly name = 'TemplateError';

  /** @param pointer to the field of the verification that is wrong, if it is known */
  constructor(
    message: string,
    readonly pointer = '',
  ) {
    super(message);
  }
}

/** The parts without a name after a colon. */
export const WHOLE_PARTS: Readonly<Record<string, Part>> = {
  body: ({ request }) => request.facts.body,
  url: ({ request }) => request.facts.url,
  decodedUrl: ({ request }) => request.facts.url.replace(UNESCAPED, decodeURIComponent),
  path: ({ request }) => request.facts.path,
  method: ({ request }) => request.facts.method,
  form: ({ request }) => (isForm(request) ? sortedForm(request) : undefined),
  'form?': ({ request }) => (isForm(request) ? sortedForm(request) : ''),
  sha256: ({ request }) => hash('sha256', request.facts.body, 'hex'),
  crc32: ({ request }) => String(crc32(request.facts.body)),
};

/** The parts with a name after a colon. */
export const NAMED_PARTS: Readonly<Record<string, (name: string) => Part>> = {
  header: (text) => {
    const { name, absent } = optional(text);
    const [header = '', part] = name.split('/');
    if (part !== undefined) return ({ request }) => namedPart(request.header(header), part) ?? absent;
    return ({ request }) => bytesAsSent(request.header(header)) ?? absent;
  },
  query: (text) => {
    const { name, absent } = optional(text);
    return ({ request }) => request.query(name) ?? absent;
  },
  body: (text) => {
    const { name, absent } = optional(text);
    const segments = segmentsOf(name);
    return (scope) => textAt(scope, segments, absent);
  },
  lines: (text) => {
    const lines = text.split(',').map((one): Line => {
      const { name, absent } = optional(one);
      const segments = segmentsOf(name);
      return { name: segments.at(-1) as string, segments, absent: absent === undefined ? undefined : NO_LINES };
    });
    return (scope) => linesOf(scope, lines);
  },
};

/** HubSpot signs the URL with these characters unescaped: : / ? @ ! $ ' ( ) * , ; */
const UNESCAPED = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gi;

/** Splits off the `?` of a name that may be absent, and returns what then stands for it. */
function optional(text: string): { name: string; absent: '' | undefined } {
  return text.endsWith('?') ? { name: text.slice(0, -1), absent: '' } : { name: text, absent: undefined };
}

/** Node reads the bytes of a header as Latin-1. ASCII is the same in UTF-8. */
function bytesAsSent(header: string | undefined): Buffer | string | undefined {
  return header !== undefined && NOT_ASCII.test(header) ? Buffer.from(header, 'latin1') : header;
}

const NOT_ASCII = /[\u0080-\uffff]/;

/** Returns the values of a name in a header such as `t=1,v1=abc,v1=def`. The separator is a comma or a semicolon. */
export function namedParts(header: string | undefined, name: string, most = Infinity): string[] {
  const values: string[] = [];
  if (header === undefined) return values;
  for (let start = 0; start < header.length && values.length < most;) {
    let end = start;
    while (end < header.length && !isSeparator(header.charCodeAt(end))) end += 1;
    const equals = header.indexOf('=', start);
    if (equals > start && equals < end && header.slice(start, equals).trim() === name) {
      values.push(header.slice(equals + 1, end).trim());
    }
    start = end + 1;
  }
  return values;
}

/** Returns the first value of a name in such a header. */
export function namedPart(header: string | undefined, name: string): string | undefined {
  return namedParts(header, name, 1)[0];
}

const isSeparator = (c: number): boolean => c === 0x2c || c === 0x3b;

/** @throws TemplateError */
function segmentsOf(pointer: string): readonly string[] {
  const parsed = parsePointer(pointer);
  if (pointer.startsWith('/') && 'segments' in parsed) return parsed.segments;
  throw new TemplateError(`${pointer} must be a JSON Pointer, such as /id.`);
}

/** Only what is absent or null may be left out: an object in its place would not be signed. */
function textAt<T>({ request, record }: PartScope, segments: readonly string[], absent: T): string | T | undefined {
  const root = record ?? request.document();
  if ('rejection' in root) return undefined;
  const place = root.at(segments);
  return place === undefined || place.value === null ? absent : scalarText(place);
}

const NO_LINES = Symbol('no lines');

interface Line {
  name: string;
  segments: readonly string[];
  absent: typeof NO_LINES | undefined;
}

/** Only the first text may have several lines: in another place, they could be taken for the lines of other names. */
function linesOf(scope: PartScope, lines: readonly Line[]): string | undefined {
  let text = '';
  for (const { name, segments, absent } of lines) {
    const value = textAt(scope, segments, absent);
    if (value === undefined) return undefined;
    if (value === NO_LINES) continue;
    if (text !== '' && value.includes('\n')) return undefined;
    text += `${name}\n${value}\n`;
  }
  return text;
}

/** An empty body is a form without fields. */
export function isForm(request: ReceivedRequest): boolean {
  const [mediaType = ''] = (request.header('content-type') ?? '').split(';', 1);
  return request.facts.body.length === 0 || mediaType.trim().toLowerCase() === 'application/x-www-form-urlencoded';
}

/** Twilio's form: every name followed by its value, in the order of names and values. Equal values count once. */
function sortedForm(request: ReceivedRequest): string | undefined {
  const root = request.document();
  if ('rejection' in root) return undefined;
  let text = '';
  for (const [name, value] of Object.entries(root.value as object).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const values: unknown[] = [...new Set([value].flat())].sort();
    for (const one of values) {
      if (typeof one !== 'string') return undefined; // JSON in a field of the form took the place of the form
      text += name + one;
    }
  }
  return text;
}
