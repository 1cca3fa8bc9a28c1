import type { IncomingHttpHeaders } from 'node:http';
import { looksLikeCredential } from './credential';

const BEARER = /^Bearer +(\S+) *$/i;

/** Returns the token of `Authorization: Bearer`, or undefined for another scheme and for no such header. */
export function bearerToken({ authorization }: IncomingHttpHeaders): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}

/** What a request sends in place of an API key. */
export type SentKey =
  | { kind: 'none' }
  | { kind: 'key'; text: string }
  /** An Authorization header that is no credential of ours, or two keys that differ. */
  | { kind: 'foreign' | 'contradiction' };

/** Finds the API key in `Authorization: Bearer` or `X-Api-Key`. Both may be sent if they are equal. */
export function sentKey(headers: IncomingHttpHeaders): SentKey {
  const apiKey = headers['x-api-key'];
  if (apiKey === undefined && headers.authorization === undefined) return { kind: 'none' };
  const bearer = bearerToken(headers);
  const ofBearer = bearer !== undefined && looksLikeCredential(bearer) ? bearer : undefined;
  if (apiKey === undefined) return ofBearer === undefined ? { kind: 'foreign' } : { kind: 'key', text: ofBearer };
  const text = String(apiKey); // Node joins a repeated header to a text that is no key
  return ofBearer === undefined || ofBearer === text ? { kind: 'key', text } : { kind: 'contradiction' };
}
