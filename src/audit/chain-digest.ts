import { hash } from 'node:crypto';

/** Rows of one table that a link covers, sorted by the text of their ids, and the SHA-256 of each. */
export interface CoveredRows {
  ids: string[];
  digests: Buffer[];
}

/** One link of the chain over the audit trail, without its own digest. Numbers are bigint, as text. */
export interface LinkContent {
  n: string;
  /** In UTC, with microseconds. */
  at: string;
  entries: CoveredRows;
  counts: CoveredRows;
}

/** The digest that the first link builds on. */
export const NO_LINK = Buffer.alloc(32);

/** @param text a row as text, which the queries make in one form for all times */
export const rowDigest = (text: string): Buffer => hash('sha256', text, 'buffer');

/**
 * Returns the digest of a link: over the digest of the link before, its number and time, and every row that it covers.
 * A change of any of them changes the digests of all links after it.
 */
export function linkDigest(previous: Buffer, { n, at, entries, counts }: LinkContent): Buffer {
  const rows = ({ ids, digests }: CoveredRows): string[] =>
    ids.map((id, i) => `${id} ${digests[i]?.toString('hex') ?? ''}`);
  const lines = [previous.toString('hex'), n, at, 'entries', ...rows(entries), 'counts', ...rows(counts)];
  return hash('sha256', lines.join('\n'), 'buffer');
}
