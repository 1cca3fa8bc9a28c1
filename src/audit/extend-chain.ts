import type { Db } from '../db/pool';
import { linkDigest, NO_LINK, rowDigest, type CoveredRows } from './chain-digest';
import {
  findLastLink,
  insertLink,
  readChainTime,
  readCountsTexts,
  readEntryTexts,
  takeUnchained,
  type RowText,
  type StoredLink,
} from './chain.queries';

/** Rows that one link covers at most. */
export const LINK_ROWS = 1_000;

/**
 * Adds a link to the chain, over the rows of the audit trail that have committed since the last ones were covered, in
 * the caller's transaction. Writers are not locked: what commits later is covered by a later link. Two processes at once
 * would make the same number, and one of them fails.
 * @returns undefined if there is nothing to cover
 */
export async function extendChain(db: Db): Promise<StoredLink | undefined> {
  const taken = await takeUnchained(db, LINK_ROWS);
  if (taken.length === 0) return undefined;
  const last = await findLastLink(db);
  const content = {
    n: String(BigInt(last?.n ?? 0) + 1n),
    at: await readChainTime(db),
    entries: await cover(
      taken.flatMap(({ entryId }) => entryId ?? []),
      (ids) => readEntryTexts(db, ids),
    ),
    counts: await cover(
      taken.flatMap(({ countsId }) => countsId ?? []),
      (ids) => readCountsTexts(db, ids),
    ),
  };
  const link = { ...content, digest: linkDigest(last?.digest ?? NO_LINK, content) };
  await insertLink(db, link);
  return link;
}

/** A row that was removed already is covered all the same, so that its absence shows. */
async function cover(
  ids: readonly string[],
  read: (ids: readonly string[]) => Promise<RowText[]>,
): Promise<CoveredRows> {
  const texts = new Map((await read(ids)).map(({ id, text }) => [id, text]));
  const ordered = ids.toSorted();
  return { ids: ordered, digests: ordered.map((id) => rowDigest(texts.get(id) ?? '')) };
}
