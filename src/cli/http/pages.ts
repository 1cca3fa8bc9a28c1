import { usageError } from '../cli-error';
import type { ApiClient } from './api-client';

/** A list of the API: its items under the name of the resource, and the cursor of the next page. */
export type ApiPage<N extends string, T> = Record<N, T[]> & { nextCursor: string | null };

/** The most that one request asks for. */
const PAGE = 200;

/**
 * Reads up to `limit` items of a list, page by page. A page may be short or empty and still have a next one, because each
 * looks through a bounded number of rows.
 */
export async function readPages<N extends string, T>(
  client: ApiClient,
  path: string,
  name: N,
  { query = {}, limit }: { query?: Record<string, string | readonly string[]>; limit: number },
): Promise<ApiPage<N, T>> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const { body }: { body: ApiPage<N, T> } = await client.call<ApiPage<N, T>>(path, {
      query: { ...query, limit: Math.min(PAGE, limit - items.length), ...(cursor === null ? {} : { cursor }) },
    });
    items.push(...body[name]);
    cursor = body.nextCursor;
  } while (cursor !== null && items.length < limit);
  return { [name]: items, nextCursor: cursor } as ApiPage<N, T>;
}

/** @throws CliError when the text is no whole number from 1 to a million */
export function itemLimit(text: string | undefined, otherwise: number): number {
  const limit = text === undefined ? otherwise : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1_000_000) return limit;
  throw usageError(`--limit ${text} must be a whole number from 1 to 1000000.`);
}
