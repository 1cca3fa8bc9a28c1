import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sha256 } from '../event/content-hash';

/** Compares digests in constant time, so that neither the time nor the length of a guess tells anything. */
export function isSameSecret(sent: string, secret: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(sent)), Buffer.from(sha256(secret)));
}

/** True when the request carries the admin token, once. (Node joins repeated headers, and no token is the join.) */
export function hasAdminToken(headers: IncomingHttpHeaders, token: string | undefined): boolean {
  const sent = headers['x-admin-token'];
  return typeof sent === 'string' && token !== undefined && isSameSecret(sent, token);
}
