import type { IncomingHttpHeaders } from 'node:http';
import { Problem } from '../event/problems';

/**
 * Declares the bodies that a route accepts; for @RouteConfig. Such a route gets the raw bytes: a Buffer, or the unread
 * stream for streamed media types. A route without this setting accepts JSON and gets it parsed.
 */
export interface RouteBody {
  takesBody: (mediaType: string, headers: IncomingHttpHeaders) => boolean;
}

export const JSON_TYPE = 'application/json';

const PARSED_JSON: RouteBody = { takesBody: (mediaType) => mediaType === JSON_TYPE };

/**
 * Returns why a body is rejected before any of it is read, or null when the route accepts it.
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
    // Only streams are decoded. Other encoded bodies would be read as the event itself.
    return new Problem('unsupported-content-encoding', 'Send this body without a Content-Encoding.');
  }
  if (mediaType === undefined && !hasBody(headers)) return null;
  if (takesBody(mediaType ?? '', headers)) return null;
  return new Problem('unsupported-media-type', 'This endpoint does not accept this Content-Type.');
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
