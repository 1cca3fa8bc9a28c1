import { DemoTransport } from './demo-transport';
import { HttpTransport } from './http-transport';
import type { Transport } from './transport';

const http = new HttpTransport();

/** All kinds of destinations, by the scheme of their URL. */
export const TRANSPORTS: Record<string, Transport> = {
  'http:': http,
  'https:': http,
  'demo:': new DemoTransport(),
};

/** The kind of a destination, as metrics name it: the scheme of its URL, and `http` for https. */
export function kindOf(url: string): string {
  const scheme = url.slice(0, url.indexOf(':'));
  return scheme === 'https' ? 'http' : scheme;
}

export function transportOf(url: string): Transport {
  const { protocol } = new URL(url);
  const transport = TRANSPORTS[protocol];
  if (!transport) throw new Error(`there are no destinations with URLs of ${protocol}`);
  return transport;
}
