import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../event/problems';

/**
 * What a route takes as its body; for @RouteConfig. Such a route gets the bytes as they were sent: a Buffer, or the
 * unread stream for media types that are streamed. A route without it takes JSON and gets it parsed.
 */
export interface RouteBody {
  takesBody: (mediaType: string, headers: IncomingHttpHeaders) => boolean;
}

export const JSON_TYPE = 'application/json';

const PARSED_JSON: RouteBody = { takesBody: (mediaType) => mediaType === JSON_TYPE };

/**
 * Why a body is refused before any of it is read; null when the route takes it.
 * @param mediaType Fastify's `request.mediaType`: lower case, without parameters; undefined without a Content-Type
 */
export function refusedBody(
  mediaType: string | undefined,
  headers: IncomingHttpHeaders,
  isStreamed: boolean,
  { takesBody } = PARSED_JSON,
): Problem | null {
  const encoding = (headers['content-encoding'] ?? 'identity').toLowerCase();
  if (encoding !== 'identity' && !isStreamed) {
    // Only streams are decoded; here the encoded bytes would be stored as the event.
    return new Problem('unsupported-content-encoding', 'Send this body without a Content-Encoding.');
  }
  if (mediaType === undefined && !hasBody(headers)) return null;
  if (takesBody(mediaType ?? '', headers)) return null;
  return new Problem('unsupported-media-type', 'This endpoint does not take that Content-Type.');
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
