import type { IncomingHttpHeaders } from 'node:http';
import { ReceivedRequest } from '../../../src/sources/request/received-request';

export interface Sent {
  method?: string;
  path?: string;
  /** Default: PUBLIC_URL, the token and `path`. */
  url?: string;
  query?: Record<string, string | string[]>;
  headers?: IncomingHttpHeaders;
  body?: string | Buffer;
  address?: string;
  receivedAt?: Date;
}

export const NOW = new Date('2026-11-29T12:00:00Z');
export const NOW_SECONDS = NOW.getTime() / 1000;

/** Returns a request as a source receives it. */
export function received({
  method = 'POST',
  path = '',
  query = {},
  headers = {},
  body = '',
  ...rest
}: Sent = {}): ReceivedRequest {
  return new ReceivedRequest({
    method,
    path,
    url: `https://hooks.example.com/in/tok${path}`,
    query,
    headers,
    body: Buffer.from(body as string),
    address: '203.0.113.7',
    receivedAt: NOW,
    ...rest,
  });
}
