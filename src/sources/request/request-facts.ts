import type { IncomingHttpHeaders } from 'node:http';

/** A request as it was received. */
export interface RequestFacts {
  method: string;
  /** What follows the token, with its slash, as sent; may be empty. */
  path: string;
  /** The URL that the producer called: PUBLIC_URL, path and query as sent. */
  url: string;
  query: Readonly<Record<string, string | string[]>>;
  headers: IncomingHttpHeaders;
  /** After its Content-Encoding was decoded. */
  body: Buffer;
  address: string;
  receivedAt: Date;
}
