/** What a producer put behind the token of the URL, as it was sent. */
export interface SentTarget {
  /** With its slash; may be empty. */
  path: string;
  /** With its question mark; may be empty. */
  query: string;
}

/** As the router reads them: a request may name the whole URL, and escape letters of `in`. */
const ORIGIN = /^https?:\/\/[^/]*/i;
const PATH = /^\/[^/?#]*\/[^/?#]*([^?#]*)(\?[^#]*)?/;

/** @param url what the request line has, such as `/in/<token>/path?query` */
export function sentTarget(url: string): SentTarget {
  const [, path = '', query = ''] = PATH.exec(url.replace(ORIGIN, '')) ?? [];
  return { path, query };
}
