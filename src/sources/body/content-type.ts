/** A header value such as `text/plain; charset=utf-8`. */
export interface HeaderValue {
  /** What is before the first semicolon, in lower case. */
  value: string;
  /** The parameters by name in lower case. The first of equal names wins. */
  parameters: ReadonlyMap<string, string>;
}

/** A parameter with its semicolon. The value is a quoted string, or whatever comes before the next semicolon. */
const PARAMETER = /;[ \t]*([^;="]*)(?:=[ \t]*(?:"([^"\\]*(?:\\.[^"\\]*)*)"[^;]*|([^;"]*)))?/y;

/** Reads a Content-Type or Content-Disposition. Returns undefined when a quoted string has no end or is misplaced. */
export function readHeaderValue(text: string): HeaderValue | undefined {
  const semicolon = text.indexOf(';');
  const parameters = new Map<string, string>();
  let at = semicolon === -1 ? text.length : semicolon;
  const value = text.slice(0, at).trim().toLowerCase();
  while (at < text.length) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(text);
    if (!match) return undefined;
    const [all, name = '', quotedValue, plainValue = ''] = match;
    const key = name.trim().toLowerCase();
    if (key !== '' && !parameters.has(key)) {
      parameters.set(key, quotedValue === undefined ? plainValue.trim() : unescaped(quotedValue));
    }
    at += all.length;
    if (at < text.length && text[at] !== ';') return undefined;
  }
  return { value, parameters };
}

/** A backslash escapes a quote or a backslash. Before other characters it stands for itself, as in `C:\dir\file`. */
function unescaped(text: string): string {
  return text.replace(/\\(["\\])/g, '$1');
}
