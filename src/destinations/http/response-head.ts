/**
 * Where the final response begins, and its status once the whole status line is there. A status below 100 is none of
 * HTTP.
 */
export interface HeadStart {
  start: number;
  status?: number;
}

const PROTOCOL = 'HTTP/';
const STATUS_LINE = /^HTTP\/\d(?:\.\d)? +(\d{3})(?:[ \t].*)?\r?$/;
const RETRY_AFTER = /^retry-after[ \t]*:(.*)$/im;
const SWITCHING_PROTOCOLS = 101;

/**
 * Finds the final response behind any number of interim responses (100, 102, 103, …). Returns undefined if the bytes are
 * no HTTP response.
 *
 * @param text the bytes so far, as latin1
 */
export function findFinalHead(text: string): HeadStart | undefined {
  let start = 0;
  for (;;) {
    const lineEnd = text.indexOf('\n', start);
    if (lineEnd < 0) return mayBecomeStatusLine(text.slice(start)) ? { start } : undefined;
    const line = text.slice(start, lineEnd);
    if (line === '' || line === '\r') {
      start = lineEnd + 1;
      continue;
    }
    const status = Number(STATUS_LINE.exec(line)?.[1]);
    if (Number.isNaN(status)) return undefined;
    if (status >= 200 || status < 100 || status === SWITCHING_PROTOCOLS) return { start, status };
    const end = endOfHead(text, lineEnd);
    if (end === undefined) return { start };
    start = end;
  }
}

/** Returns false where waiting for the end of the line is no use. */
function mayBecomeStatusLine(line: string): boolean {
  return (
    line === '\r' || (/^[^\r]*\r?$/.test(line) && line.slice(0, PROTOCOL.length) === PROTOCOL.slice(0, line.length))
  );
}

/** Splits a response that the parser refused into the value of Retry-After and what came of the body. */
export function readRefusedHead(text: string): { retryAfter?: string; body: string } {
  const end = endOfHead(text, text.indexOf('\n'));
  const retryAfter = RETRY_AFTER.exec(text.slice(0, end))?.[1]?.trim();
  return { ...(retryAfter === undefined ? {} : { retryAfter }), body: end === undefined ? '' : text.slice(end) };
}

/** @param lineEnd offset of a line feed in the head */
function endOfHead(text: string, lineEnd: number): number | undefined {
  for (let at = lineEnd; at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text[at + 1] === '\n') return at + 2;
    if (text[at + 1] === '\r' && text[at + 2] === '\n') return at + 3;
  }
  return undefined;
}
