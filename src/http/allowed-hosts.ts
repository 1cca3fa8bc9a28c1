import type { IncomingMessage } from 'node:http';
import { isLoopbackHost } from '../config/loopback';
import type { Settings } from '../config/settings';
import { Problem } from '../event/problems';

export type HostCheck = (request: Pick<IncomingMessage, 'headers'>) => Problem | undefined;

/**
 * Returns the check of the Host header. A server on a loopback address is meant for this machine, but a web page that
 * re-points its own name to 127.0.0.1 (DNS rebinding) reaches it from a browser, with any header. The browser then sends
 * the name of the page as Host, so only names of this machine, that of PUBLIC_URL and ALLOWED_HOSTS are served. A server
 * on another address cannot know its names.
 */
export function hostCheck({
  HOST,
  PUBLIC_URL,
  ALLOWED_HOSTS,
}: Pick<Settings, 'HOST' | 'PUBLIC_URL' | 'ALLOWED_HOSTS'>): HostCheck {
  if (!isLoopbackHost(HOST)) return () => undefined;
  const named = new Set(ALLOWED_HOSTS);
  if (PUBLIC_URL !== undefined) named.add(new URL(PUBLIC_URL).hostname);
  let lastAllowed: string | undefined; // clients send the same one again and again
  return ({ headers: { host } }) => {
    if (host === undefined || host === lastAllowed) return undefined; // only HTTP/1.0, which no browser speaks, has none
    const name = hostName(host);
    if (name === undefined || !(isOfThisMachine(name) || named.has(name))) return notAllowed();
    lastAllowed = host;
    return undefined;
  };
}

/** Nobody can re-point a name below `localhost`: browsers take it for the loopback address themselves (RFC 6761). */
const isOfThisMachine = (name: string): boolean => isLoopbackHost(name) || /\.localhost\.?$/.test(name);

/** Returns the name in a Host header, without the port; undefined if it is none. */
function hostName(host: string): string | undefined {
  const isHost = /^[^\s/?#@\\,]+$/.test(host) && URL.canParse(`http://${host}`);
  return isHost ? new URL(`http://${host}`).hostname : undefined;
}

const notAllowed = (): Problem =>
  new Problem(
    'host-not-allowed',
    'This server listens on a loopback address and does not serve the name in the Host header. Use localhost, set PUBLIC_URL to the URL that clients use, or add the name to ALLOWED_HOSTS.',
  );
