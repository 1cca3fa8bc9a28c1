import type { Message, OutgoingMessage } from './broker';

/** The form number of a message with several entries. A message with one entry has form 1. */
export const BUNDLE_FORM = 2;
/** Entries of one bundle at most, whoever writes it. Workers translate their prefetch by it. */
export const MOST_IN_BUNDLE = 50;
/** Bodies of one bundle at most. A larger body travels alone. */
export const MOST_BUNDLE_BYTES = 64 * 1024;
/** Headers of 50 entries have 50 KB at most. What is longer than this was not written by a publisher, and is not parsed. */
const MOST_READ_BYTES = 1024 * 1024;
const LINE_END = 0x0a;

/** Of one entry: the id, the length of its body in bytes, its headers. */
type Head = readonly [id: string, bytes: number, headers: Message['headers']];

/**
 * Writes the body of a message that carries several entries: one line of JSON with the heads of all entries, then their
 * bodies one after another. JSON text has no line end, so the first one ends the heads.
 */
export function bundleBody(entries: readonly Pick<OutgoingMessage, 'id' | 'headers' | 'body'>[]): Buffer {
  const heads: Head[] = entries.map(({ id, headers, body }) => [id, body.length, headers]);
  return Buffer.concat([Buffer.from(`${JSON.stringify(heads)}\n`), ...entries.map(({ body }) => body)]);
}

/** Reads the entries of a bundle. Returns undefined if `body` is not exactly what bundleBody writes for `count` entries. */
export function entriesOfBundle(body: Buffer, count: unknown): Message[] | undefined {
  if (body.length > MOST_READ_BYTES) return undefined;
  const end = body.indexOf(LINE_END);
  const heads = end === -1 ? undefined : readHeads(body.toString('utf8', 0, end));
  if (!heads || heads.length !== count) return undefined;
  const entries: Message[] = [];
  let from = end + 1;
  for (const [id, bytes, headers] of heads) {
    entries.push({ id, headers, body: body.subarray(from, from + bytes) });
    from += bytes;
  }
  return from === body.length ? entries : undefined;
}

function readHeads(text: string): Head[] | undefined {
  let heads: unknown;
  try {
    heads = JSON.parse(text);
  } catch {
    return undefined; // not written by bundleBody
  }
  if (!Array.isArray(heads) || heads.length === 0 || heads.length > MOST_IN_BUNDLE) return undefined;
  return heads.every(isHead) ? heads : undefined;
}

function isHead(head: unknown): head is Head {
  if (!Array.isArray(head) || head.length !== 3) return false;
  const [id, bytes, headers] = head as unknown[];
  const isLength = Number.isSafeInteger(bytes) && (bytes as number) >= 0;
  return (
    typeof id === 'string' && isLength && typeof headers === 'object' && headers !== null && !Array.isArray(headers)
  );
}
