import type { Db } from '../db/pool';
import { linkDigest, NO_LINK, rowDigest, type CoveredRows } from './chain-digest';
import {
  findLastLink,
  findOtherCounts,
  findUncovered,
  readCountsTexts,
  readEntryTexts,
  readLinks,
  readWaiting,
  type RowText,
  type StoredLink,
} from './chain.queries';

/** What is wrong with the audit trail. `row` names the place as `<table> <id>`. */
export interface Tampering {
  row: string;
  /** The rest of the sentence. */
  what: string;
}

/** A link of which somebody has kept the number and the digest elsewhere, such as in the log. */
export interface KnownLink {
  n: string;
  digest: string;
}

export interface ChainReport {
  tampering: Tampering[];
  /** Whether more was found than is listed. */
  truncated: boolean;
  links: number;
  rows: number;
  /** The last link; undefined if there is none. */
  head: KnownLink | undefined;
  /** Rows that no link covers yet, and how long the oldest has waited. */
  waiting: { rows: number; seconds: number };
}

const LINKS_AT_ONCE = 50;
/** What is listed at most. */
export const MOST_FINDINGS = 1_000;

/**
 * Compares the audit trail with the chain of digests over it, link by link. Finds rows that were changed, removed or
 * inserted past the triggers. Whoever can rewrite the whole chain can hide this; a link that is known from elsewhere
 * shows it.
 *
 * @param known links that somebody has kept elsewhere
 * @param lastLinks compares only this many links; undefined: all
 */
export async function verifyChain(
  db: Db,
  { known = [], lastLinks }: { known?: readonly KnownLink[]; lastLinks?: number } = {},
): Promise<ChainReport> {
  const findings: Tampering[] = [];
  const missing = new Map(known.map(({ n, digest }) => [n, digest]));
  let last = lastLinks === undefined ? undefined : await linkBeforeLast(db, lastLinks);
  let links = 0;
  let rows = 0;
  for (;;) {
    const batch = await readLinks(db, last?.n ?? '0', LINKS_AT_ONCE);
    for (const link of batch) {
      findings.push(...checkLink(link, last, missing.get(link.n)), ...(await checkRows(db, link)));
      missing.delete(link.n);
      last = link;
      rows += link.entries.ids.length + link.counts.ids.length;
    }
    links += batch.length;
    if (batch.length < LINKS_AT_ONCE || findings.length > MOST_FINDINGS) break;
  }
  for (const n of missing.keys())
    findings.push({ row: `audit_chain ${n}`, what: 'was removed: it is known, but missing' });
  findings.push(...(await checkUncovered(db)));
  return {
    tampering: findings.slice(0, MOST_FINDINGS),
    truncated: findings.length > MOST_FINDINGS,
    links,
    rows,
    head: last && { n: last.n, digest: last.digest.toString('hex') },
    waiting: await readWaiting(db),
  };
}

/** Returns the link that is followed by `count` links; undefined if there are not so many. */
async function linkBeforeLast(db: Db, count: number): Promise<StoredLink | undefined> {
  const n = BigInt((await findLastLink(db))?.n ?? 0) - BigInt(count);
  return n > 0n ? (await readLinks(db, String(n - 1n), 1))[0] : undefined;
}

function checkLink(link: StoredLink, before: StoredLink | undefined, known: string | undefined): Tampering[] {
  const row = `audit_chain ${link.n}`;
  const expected = BigInt(before?.n ?? 0) + 1n;
  if (BigInt(link.n) !== expected) {
    return [
      { row: `audit_chain ${expected}`, what: `was removed: ${before?.n ?? 'nothing'} is followed by ${link.n}` },
    ];
  }
  if (!linkDigest(before?.digest ?? NO_LINK, link).equals(link.digest)) return [{ row, what: 'was changed' }];
  if (known !== undefined && known !== link.digest.toString('hex')) {
    return [{ row, what: 'was made again: its digest is not the one that is known' }];
  }
  return [];
}

async function checkRows(db: Db, { entries, counts }: StoredLink): Promise<Tampering[]> {
  return [
    ...differences('admin_audit', entries, await readEntryTexts(db, entries.ids)),
    ...differences('audit_counts', counts, await readCountsTexts(db, counts.ids)),
  ];
}

function differences(table: string, { ids, digests }: CoveredRows, found: readonly RowText[]): Tampering[] {
  const texts = new Map(found.map(({ id, text }) => [id, text]));
  return ids.flatMap((id, i): Tampering[] => {
    const text = texts.get(id);
    const row = `${table} ${id}`;
    if (text === undefined) return [{ row, what: 'was removed' }];
    return digests[i]?.equals(rowDigest(text)) ? [] : [{ row, what: 'was changed' }];
  });
}

async function checkUncovered(db: Db): Promise<Tampering[]> {
  const uncovered = await findUncovered(db, MOST_FINDINGS + 1);
  const otherCounts = await findOtherCounts(db, MOST_FINDINGS + 1);
  return [
    ...uncovered.map(({ table, id }) => ({
      row: `${table} ${id}`,
      what: 'was inserted past the trigger: no link covers it',
    })),
    ...otherCounts.map((id) => ({
      row: `admin_audit ${id}`,
      what: 'was changed: its counts are not the ones that were recorded last',
    })),
  ];
}
