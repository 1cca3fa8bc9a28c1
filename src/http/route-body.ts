import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../event/problems';

declare module 'fastify' {
  interface FastifyRequest {
    /** The problem to respond with, whatever the body holds. Set on routes that keep what they refuse. */
    refusal?: Problem;
  }
}

/**
 * Declares the bodies that a route accepts; for @RouteConfig. Such a route gets the raw bytes, and those of an
 * encoded body as the unread stream. A route without this setting accepts JSON and gets it parsed.
 */
export interface RouteBody {
  takesBody: (mediaType: string, headers: IncomingHttpHeaders) => boolean;
  /** The media types to name when another one is sent. */
  mediaTypes: readonly string[];
  /** Returns the endpoint that accepts a media type, if another endpoint does. */
  endpointFor?: (mediaType: string) => string | undefined;
  /** Returns the problem of a Content-Encoding that the route cannot decode. */
  refusedEncoding: (encoding: string) => Problem | null;
  /** How the route gets a body of an accepted media type, unless the body is encoded. */
  reading: (mediaType: string | undefined, headers: IncomingHttpHeaders) => BodyReading;
  /** Bytes of a body that is read whole, by MAX_EVENT_BYTES. Default: MAX_EVENT_BYTES. */
  maxBytes?: (maxEventBytes: number) => number;
  /**
   * True when the route keeps what it refuses. It gets a body that is too large as a LargeBody. It also gets a body of a
   * media type that it does not accept, with the problem in `request.refusal`.
   */
  keepsRefused?: boolean;
  /** The media types of successful responses. Default: JSON. */
  answers?: readonly [string, ...string[]];
}

/** As a Buffer; as the unread stream; or as the unread stream if it begins with a bracket, otherwise as a Buffer. */
export type BodyReading = 'whole' | 'stream' | 'stream-if-array';

export const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

export const PARSED_JSON: RouteBody = {
  takesBody: (mediaType) => mediaType === JSON_TYPE,
  mediaTypes: [JSON_TYPE],
  reading: () => 'whole',
  // Read as it is, an encoded body would be taken for broken JSON.
  refusedEncoding: () =>
    new Problem('unsupported-content-encoding', 'Send this body without a Content-Encoding.', {
      headers: { 'Accept-Encoding': 'identity' },
    }),
};

/** What is known of a request before its body is read. */
export interface BodyHead {
  method: string;
  /** Fastify's `request.mediaType`: lower case, without parameters; undefined without a Content-Type. */
  mediaType: string | undefined;
  headers: IncomingHttpHeaders;
}

/** Returns why a body is rejected before any of it is read, or null when the route accepts it. */
export function refusedBody(request: BodyHead, route: RouteBody = PARSED_JSON): Problem | null {
  const { mediaType, headers } = request;
  const encoding = headers['content-encoding'];
  const refused = encoding !== undefined && isEncoded(headers) ? route.refusedEncoding(encoding) : null;
  if (refused) return refused;
  if (mediaType === undefined && !hasBody(headers)) return null;
  if (!route.takesBody(mediaType ?? '', headers)) return wrongMediaType(request, route);
  return route.mediaTypes.includes(mediaType ?? '') ? refusedCharset(headers['content-type']) : null;
}

/** True when the body has a Content-Encoding other than `identity`. */
export function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding.trim().toLowerCase() !== 'identity';
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function wrongMediaType({ method, mediaType, headers }: BodyHead, route: RouteBody): Problem {
  const accepted = route.mediaTypes.join(', ');
  return new Problem('unsupported-media-type', wrongMediaTypeDetail(mediaType, headers, route), {
    headers: { [method === 'PATCH' ? 'Accept-Patch' : 'Accept-Post']: accepted },
  });
}

function wrongMediaTypeDetail(
  mediaType: string | undefined,
  headers: IncomingHttpHeaders,
  { mediaTypes, endpointFor }: RouteBody,
): string {
  const send = `Send ${alternatives(mediaTypes)}.`;
  if (headers['content-type'] === undefined) return `The body has no Content-Type. ${send}`;
  if (mediaType === undefined) return `The Content-Type is not a valid media type. ${send}`;
  const wrong = `This endpoint does not accept ${mediaType.slice(0, 100)}.`;
  const endpoint = endpointFor?.(mediaType);
  if (endpoint !== undefined) return `${wrong} Send it to ${endpoint}. Here, send ${alternatives(mediaTypes)}.`;
  if (mediaType !== FORM_TYPE) return `${wrong} ${send}`;
  return `${wrong} It is the default of some clients, such as curl -d; set the Content-Type header. ${send}`;
}

function alternatives(names: readonly string[]): string {
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${names.at(-1)}` : String(names[0]);
}

const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]+)/i;
/** UTF-8, and charsets that are the same for ASCII. Text of theirs that is not ASCII is not valid UTF-8. */
const LIKE_ASCII = /^(?:utf-?8|(?:us-)?ascii|iso-?8859-\d+|latin-?\d|windows-125\d)$/i;

/** Refuses a body whose bytes are certainly not UTF-8, such as UTF-16. */
function refusedCharset(contentType: string | undefined): Problem | null {
  if (!contentType?.includes(';')) return null;
  const charset = CHARSET.exec(contentType)?.[1];
  if (charset === undefined || LIKE_ASCII.test(charset)) return null;
  return new Problem(
    'unsupported-media-type',
    `The charset ${charset.slice(0, 40)} is not supported. Send the body in UTF-8.`,
  );
}
