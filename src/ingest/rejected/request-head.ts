import type { FastifyRequest } from 'fastify';
import { plainAddress } from '../../access/identity/networks';
import type { KeptHead } from '../formats/kept-records';
import { timeOfDay } from '../../event/time-of-day';

const HEADERS = ['content-type', 'idempotency-key', 'x-idempotency-key', 'user-agent'];

/**
 * Returns what is kept of a request beside its bytes, as JSON text. Of the headers, only those that say how the bytes are
 * read, who sent them and by which key: the others may hold credentials.
 */
export function requestHeadJson(
  { method, url, ip, headers }: Pick<FastifyRequest, 'method' | 'url' | 'ip' | 'headers'>,
  more: Pick<KeptHead, 'namespaces'> = {},
): string {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && (name.startsWith('ce-') || HEADERS.includes(name))) kept[name] = value;
  }
  const path = url.split('?', 1)[0];
  const receivedAt = timeOfDay().toISOString();
  return JSON.stringify({ method, path, query: {}, headers: kept, address: plainAddress(ip), receivedAt, ...more });
}
