import type { SentRequest } from './proof';

/** The text with the lowest bit of one character changed, once for each character. */
export const flipped = (text: string): string[] => Array.from({ length: text.length }, (_, i) => altered(text, i));

export function altered(text: string, at: number): string {
  const changed = String.fromCharCode(text.charCodeAt(at) ^ 1);
  return text.slice(0, at) + changed + text.slice(at + 1);
}

/** The last characters of a signature in base64 have bits that stand for nothing. */
const MEANINGLESS = 3;
const SHORTEST_SIGNATURE = 20;

/** @param part the name of a header in lower case, `url` or `method` */
export function alterations(good: SentRequest, part: string): SentRequest[] {
  if (part === 'method') return [{ ...good, method: 'PUT' }];
  if (part === 'url') {
    const start = new URL(good.url).origin.length + 1;
    return flipped(good.url.slice(start)).map((rest) => ({ ...good, url: good.url.slice(0, start) + rest }));
  }
  const { [part]: text = '', ...headers } = good.headers;
  if (text === '') throw new Error(`The signed request has no header ${part}.`);
  const changed = flipped(text).slice(0, text.length > SHORTEST_SIGNATURE ? -MEANINGLESS : undefined);
  return [{ ...good, headers }, ...changed.map((value) => ({ ...good, headers: { ...headers, [part]: value } }))];
}
