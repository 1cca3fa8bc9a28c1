import { readHeaderValue, type HeaderValue } from './content-type';
import { FORM_TYPE, readForm } from './form-body';
import { isJsonType, readJson } from './json-body';
import { MULTIPART_TYPE, readMultipart } from './multipart-body';
import { BODY_LIMITS, type BodyLimits, type ParsedBody } from './parsed-body';
import { readJsonOrPlain, readPlain, UNKNOWN_TYPE } from './plain-body';
import { isXmlType, readXml } from './xml-body';

/** @param sent the Content-Type as it was sent */
type Reader = (bytes: Buffer, contentType: HeaderValue, limits: BodyLimits, sent: string) => ParsedBody;

/** All formats of bodies. The first that takes the media type reads the body. */
const READERS: readonly { takes: (mediaType: string) => boolean; read: Reader }[] = [
  { takes: isJsonType, read: readJson },
  { takes: (mediaType) => mediaType === FORM_TYPE, read: readForm },
  { takes: (mediaType) => mediaType === MULTIPART_TYPE, read: readMultipart },
  { takes: isXmlType, read: readXml },
  { takes: (mediaType) => mediaType === '' || mediaType === 'text/plain', read: readJsonOrPlain },
  { takes: () => true, read: readPlain },
];

/**
 * Turns the bytes of a request into JSON text. What cannot be read is a rejection; nothing is thrown. Takes time and
 * memory in proportion to the bytes.
 * @param contentType the Content-Type header
 */
export function parseBody(
  bytes: Buffer,
  contentType: string | undefined,
  limits: BodyLimits = BODY_LIMITS,
): ParsedBody {
  if (bytes.length === 0) return { json: '{}', fromJson: false };
  const sent = contentType ?? '';
  const { header, read } = kindOf(sent);
  return read(bytes, header, limits, sent === '' ? UNKNOWN_TYPE : sent);
}

interface BodyKind {
  header: HeaderValue;
  read: Reader;
}

/** Most requests have one of a few Content-Types. Those with a boundary are all different, and longer. */
const kinds = new Map<string, BodyKind>();
const MAX_KINDS = 100;
const MAX_KIND_LENGTH = 40;

function kindOf(sent: string): BodyKind {
  const known = kinds.get(sent);
  if (known) return known;
  const header = readHeaderValue(sent) ?? { value: mediaTypeOf(sent), parameters: new Map<string, string>() };
  const kind = { header, read: READERS.find(({ takes }) => takes(header.value))?.read ?? readPlain };
  if (sent.length <= MAX_KIND_LENGTH && kinds.size < MAX_KINDS) kinds.set(sent, kind);
  return kind;
}

function mediaTypeOf(contentType: string): string {
  return (contentType.split(';', 1)[0] as string).trim().toLowerCase();
}
