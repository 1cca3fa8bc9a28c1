import { Dicer } from '@fastify/busboy';
import { quoted } from '../../event/json/canonical-json';
import { charsetNamed, decoded } from './charset';
import { readHeaderValue, type HeaderValue } from './content-type';
import { objectOfFields, type FieldJson } from './form-fields';
import { malformedBody, rejected, type BodyLimits, type ParsedBody } from './parsed-body';
import { textOrBase64 } from './plain-body';

export const MULTIPART_TYPE = 'multipart/form-data';

/** RFC 2046 allows 70 characters. */
const BOUNDARY = /^[\x20-\x7e]{1,70}$/;
const MAX_HEADERS = 50;
/** The library cuts headers short at 80 KiB without an error. */
const MAX_HEADER_CHARACTERS = 8_192;

interface Part {
  /** The values of each header by name in lower case, one character per byte; undefined if the headers have no end. */
  headers: Readonly<Record<string, string[]>> | undefined;
  content: Buffer;
}

export function readMultipart(bytes: Buffer, { parameters }: HeaderValue, { maxParts }: BodyLimits): ParsedBody {
  const boundary = parameters.get('boundary');
  if (boundary === undefined || !BOUNDARY.test(boundary)) {
    return malformedBody('The Content-Type must have a boundary of 1 to 70 characters.');
  }
  const delimiters = countDelimiters(bytes, boundary, maxParts + 2);
  if (delimiters.count === 0) return malformedBody('The boundary of the Content-Type does not occur in the body.');
  if (delimiters.count > maxParts + 1) return rejected('invalid-event', `The body has more than ${maxParts} parts.`);
  if (!delimiters.hasLast) return malformedBody('The body is incomplete. It ends before its last boundary.');
  const fields: FieldJson[] = [];
  for (const [i, part] of split(bytes, boundary).entries()) {
    const field = fieldOf(part);
    if (typeof field === 'string') return malformedBody(`Part ${i + 1} of the body ${field}.`);
    fields.push(field);
  }
  return objectOfFields(fields);
}

/** Counts the boundaries before splitting, since each part costs the library several objects. */
function countDelimiters(bytes: Buffer, boundary: string, max: number): { count: number; hasLast: boolean } {
  const delimiter = Buffer.from(`\r\n--${boundary}`);
  const isAtStart = bytes.subarray(0, delimiter.length - 2).equals(delimiter.subarray(2));
  let count = isAtStart ? 1 : 0;
  let end = isAtStart ? delimiter.length - 2 : 0;
  for (;;) {
    if (count > 0 && bytes[end] === 0x2d && bytes[end + 1] === 0x2d) return { count, hasLast: true };
    const next = bytes.indexOf(delimiter, end);
    if (next === -1 || count === max) return { count, hasLast: false };
    count += 1;
    end = next + delimiter.length;
  }
}

/** The library parses a chunk while it is written, so all parts are there when write() returns. */
function split(bytes: Buffer, boundary: string): Part[] {
  const streams: { part: Dicer.PartStream; headers?: Part['headers'] }[] = [];
  const dicer = new Dicer({ boundary, maxHeaderPairs: MAX_HEADERS + 1 });
  dicer.on('part', (part) => {
    const stream: (typeof streams)[number] = { part };
    part.on('header', (headers) => (stream.headers = headers as Part['headers']));
    streams.push(stream);
  });
  dicer.write(bytes);
  return streams.map(({ part, headers }) => ({ headers, content: (part.read() as Buffer | null) ?? Buffer.alloc(0) }));
}

/** Returns the field of a part, or what is wrong with the part. */
function fieldOf({ headers, content }: Part): FieldJson | string {
  if (!headers) return 'has no end of its headers';
  const values = Object.values(headers).flat();
  if (values.length > MAX_HEADERS) return `has more than ${MAX_HEADERS} headers`;
  if (values.reduce((sum, { length }) => sum + length, 0) > MAX_HEADER_CHARACTERS) {
    return `has headers of more than ${MAX_HEADER_CHARACTERS} characters`;
  }
  const disposition = readHeader(headers['content-disposition']);
  const name = disposition?.parameters.get('name');
  if (disposition?.value !== 'form-data' || name === undefined) {
    return 'has no valid Content-Disposition header with a name';
  }
  const type = headers['content-type']?.[0];
  const fileName = fileNameOf(disposition);
  const json = fileName === undefined ? jsonOfText(content, type) : jsonOfFile(content, fileName, type);
  return { name, json };
}

/** Header values are UTF-8. */
function readHeader(values: readonly string[] | undefined): HeaderValue | undefined {
  const text = values && decoded(Buffer.from(String(values[0]), 'latin1'), 'utf-8');
  return text === undefined ? undefined : readHeaderValue(text);
}

/** Some clients send `filename*`, although RFC 7578 forbids it. It also marks a file; its value is kept as sent. */
function fileNameOf({ parameters }: HeaderValue): string | undefined {
  return parameters.get('filename') ?? parameters.get('filename*');
}

/** Bytes that are not text in the charset of the part are kept as they are. */
function jsonOfText(content: Buffer, type: string | undefined): string {
  const charset = charsetNamed(readHeaderValue(type ?? '')?.parameters.get('charset'));
  const text = charset && decoded(content, charset);
  if (text !== undefined) return quoted(text);
  return textOrBase64(content, type ?? 'text/plain');
}

function jsonOfFile(content: Buffer, fileName: string, type = 'text/plain'): string {
  return `{"@filename":${quoted(fileName)},${textOrBase64(content, type).slice(1)}`;
}
