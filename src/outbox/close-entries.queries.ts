import type { Db } from '../db/pool';
import type { ClaimedEntry } from './outbox-entry';

/** Identifies an entry and its partition. */
export type EntryKey = Pick<ClaimedEntry, 'id' | 'createdAt'>;

/**
 * All or some entries of one claim. `token` proves the lease (I4). The bounds on `created_at` let PostgreSQL skip the
 * partitions that cannot contain these entries.
 */
export interface Lease {
  token: string;
  ids: readonly string[];
  oldestCreatedAt: string;
  newestCreatedAt: string;
}

/** Returns the lease on these entries of a claim. Instants are truncated to milliseconds; HELD allows for that. */
export function leaseOf(token: string, entries: readonly EntryKey[]): Lease {
  const instants = entries.map(({ createdAt }) => createdAt).sort();
  return {
    token,
    ids: entries.map(({ id }) => id),
    oldestCreatedAt: instants[0] ?? '',
    newestCreatedAt: instants.at(-1) ?? '',
  };
}

/** I4: matches the entries whose lease we still hold. $1 token, $2 ids, $3 and $4 bounds. */
const HELD = `id = any ($2::bigint[]) and lock_owner = $1 and status = 'IN_FLIGHT'
              and created_at >= $3::timestamptz and created_at < $4::timestamptz + interval '1 millisecond'`;
const held = ({ token, ids, oldestCreatedAt, newestCreatedAt }: Lease): unknown[] => [
  token,
  ids,
  oldestCreatedAt,
  newestCreatedAt,
];

/** I3, I4: closes confirmed entries whose lease is still held. Returns their number. */
export async function markPublished(db: Db, lease: Lease): Promise<number> {
  const { rowCount } = await db.query({
    name: 'mark-published',
    text: `update outbox set status = 'PUBLISHED', closed_at = now(), last_error = null where ${HELD}`,
    values: held(lease),
  });
  return rowCount ?? 0;
}

/** Releases entries that were not confirmed. Only `unroutable` uses an attempt (I9). */
export async function releaseEntries(
  db: Db,
  lease: Lease,
  release: { reason: string; waitSeconds: number; unroutable: boolean },
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'release-entries',
    text: `update outbox
              set status = 'PENDING', lock_owner = null, last_error = $5, attempts = attempts + $7,
                  next_attempt_at = case when $6 > 0 then now() + make_interval(secs => $6) end
            where ${HELD}`,
    values: [...held(lease), release.reason, release.waitSeconds, release.unroutable ? 1 : 0],
  });
  return rowCount ?? 0;
}

/** Gives back entries whose events were not read. They are due at once. */
export async function giveBackEntries(db: Db, lease: Lease): Promise<void> {
  await db.query({
    name: 'give-back-entries',
    text: `update outbox set status = 'PENDING', lock_owner = null where ${HELD}`,
    values: held(lease),
  });
}

/** Closes entries that the broker will never accept. An operator can see and requeue them. */
export async function markFailed(db: Db, lease: Lease, reason: string): Promise<number> {
  const { rowCount } = await db.query({
    name: 'mark-failed',
    text: `update outbox
              set status = 'FAILED', closed_at = now(), failed_at = now(), last_error = $5, attempts = attempts + 1
            where ${HELD}`,
    values: [...held(lease), reason],
  });
  return rowCount ?? 0;
}

/**
 * Ends every lease taken before `before`. Always safe: the token check stops a late holder from closing (I4). Entries
 * that their holder is closing at this moment are left to it.
 */
export async function releaseLeasesTakenBefore(db: Db, before: string): Promise<number> {
  const { rowCount } = await db.query(
    `update outbox set status = 'PENDING', lock_owner = null
      where id = any (array(
        select id from outbox where closed_at is null and status = 'IN_FLIGHT' and lock_acquired_at < $1
         for update skip locked))
        and closed_at is null`,
    [before],
  );
  return rowCount ?? 0;
}
