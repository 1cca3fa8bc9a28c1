import type { Db } from '../db/pool';
import type { LinkContent } from './chain-digest';

/** A link as it is stored. */
export interface StoredLink extends LinkContent {
  digest: Buffer;
}

const INSTANT = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')`;

/**
 * The rows as text. A column that a later migration adds is not in it: digests of older rows would no longer be right.
 * The counts of an entry are rows of their own, and its idempotency key is forgotten after a while.
 */
const ENTRY_TEXT = `jsonb_build_array(id, ${INSTANT('at')}, actor, role, address, tenant_ids, action, filter, note,
                                      correlation_id)::text`;
const COUNTS_TEXT = `jsonb_build_array(id, entry_id, ${INSTANT('at')}, counts)::text`;

const LINK = `n, ${INSTANT('at')} as at, digest, entry_ids::text[] as "entryIds", entry_digests as "entryDigests",
  counts_ids::text[] as "countsIds", counts_digests as "countsDigests"`;

interface LinkRow {
  n: string;
  at: string;
  digest: Buffer;
  entryIds: string[];
  entryDigests: Buffer[];
  countsIds: string[];
  countsDigests: Buffer[];
}

const linkOf = ({ n, at, digest, entryIds, entryDigests, countsIds, countsDigests }: LinkRow): StoredLink => ({
  n,
  at,
  digest,
  entries: { ids: entryIds, digests: entryDigests },
  counts: { ids: countsIds, digests: countsDigests },
});

/**
 * Takes up to `limit` rows that no link covers, oldest first, out of the list of them. Only committed rows are in it, and
 * those that another process has locked are left to it.
 */
export async function takeUnchained(
  db: Db,
  limit: number,
): Promise<{ entryId: string | null; countsId: string | null }[]> {
  const { rows } = await db.query<{ entryId: string | null; countsId: string | null }>(
    `delete from audit_unchained
      where id = any (array(select id from audit_unchained order by id limit $1 for update skip locked))
     returning entry_id as "entryId", counts_id as "countsId"`,
    [limit],
  );
  return rows;
}

/** A row of the audit trail, as the text that its digest is made of. */
export interface RowText {
  id: string;
  text: string;
}

export async function readEntryTexts(db: Db, ids: readonly string[]): Promise<RowText[]> {
  const { rows } = await db.query<RowText>(
    `select id, ${ENTRY_TEXT} as text from admin_audit where id = any ($1::uuid[]) order by id`,
    [ids],
  );
  return rows;
}

export async function readCountsTexts(db: Db, ids: readonly string[]): Promise<RowText[]> {
  const { rows } = await db.query<RowText>(
    `select id, ${COUNTS_TEXT} as text from audit_counts where id = any ($1::bigint[]) order by id`,
    [ids],
  );
  return rows;
}

/** Returns the time of the transaction, in UTC with microseconds. */
export async function readChainTime(db: Db): Promise<string> {
  const { rows } = await db.query<{ at: string }>(`select ${INSTANT('now()')} as at`);
  return (rows[0] as { at: string }).at;
}

export async function findLastLink(db: Db): Promise<StoredLink | undefined> {
  const { rows } = await db.query<LinkRow>(`select ${LINK} from audit_chain order by n desc limit 1`);
  return rows[0] && linkOf(rows[0]);
}

/** Returns up to `limit` links after number `after`, in their order. */
export async function readLinks(db: Db, after: string, limit: number): Promise<StoredLink[]> {
  const { rows } = await db.query<LinkRow>(`select ${LINK} from audit_chain where n > $1 order by n limit $2`, [
    after,
    limit,
  ]);
  return rows.map(linkOf);
}

export async function insertLink(db: Db, { n, at, entries, counts, digest }: StoredLink): Promise<void> {
  await db.query(
    `insert into audit_chain (n, at, entry_ids, entry_digests, counts_ids, counts_digests, digest)
     values ($1, $2::timestamp at time zone 'UTC', $3::uuid[], $4::bytea[], $5::bigint[], $6::bytea[], $7)`,
    [n, at, entries.ids, entries.digests, counts.ids, counts.digests, digest],
  );
}

/** A row that no link covers. */
export interface Uncovered {
  table: 'admin_audit' | 'audit_counts';
  id: string;
}

/** Returns up to `limit` rows that no link covers and that are not about to be covered. */
export async function findUncovered(db: Db, limit: number): Promise<Uncovered[]> {
  const { rows } = await db.query<Uncovered>(
    `(select 'admin_audit' as table, a.id::text as id from admin_audit a
       where not exists (select from (select unnest(entry_ids) as id from audit_chain) c where c.id = a.id)
         and not exists (select from audit_unchained u where u.entry_id = a.id) limit $1)
     union all
     (select 'audit_counts', a.id::text from audit_counts a
       where not exists (select from (select unnest(counts_ids) as id from audit_chain) c where c.id = a.id)
         and not exists (select from audit_unchained u where u.counts_id = a.id) limit $1)
     limit $1`,
    [limit],
  );
  return rows;
}

/** Returns up to `limit` entries whose counts are not the newest that were recorded for them. */
export async function findOtherCounts(db: Db, limit: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select a.id from admin_audit a
       left join lateral (select counts from audit_counts c where c.entry_id = a.id order by c.id desc limit 1) c on true
      where a.counts <> coalesce(c.counts, '{}') order by a.id limit $1`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

/** Returns how many rows wait to be covered, up to 10,000, and for how many seconds the oldest has waited. */
export async function readWaiting(db: Db): Promise<{ rows: number; seconds: number }> {
  const { rows } = await db.query<{ rows: number; seconds: number }>(
    `select count(*)::int as rows, coalesce(extract(epoch from clock_timestamp() - min(at)), 0)::float8 as seconds
       from (select at from audit_unchained order by id limit 10000) u`,
  );
  return rows[0] as { rows: number; seconds: number };
}
