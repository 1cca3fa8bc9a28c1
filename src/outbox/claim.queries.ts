import type { Pool } from 'pg';
import { HISTORY } from '../db/history/history.queries';
import { queryWithSettings, type Db } from '../db/pool';
import type { Event } from '../event/event';
import { withRevisions } from '../revisions/with-revisions';
import type { ClaimedEntry } from './outbox-entry';

/** `due` counts the due entries, up to `limit`. */
type ClaimedRow = Omit<ClaimedEntry, 'event'> & Event & { entryId: string; due: number };
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

/** The result of one claim. */
export interface Claim {
  entries: ClaimedEntry[];
  /** Entries without a stored event: it was deleted by hand, or a restore was incomplete. */
  orphans: EntryKey[];
  /** True if more entries may be due: the claim ended at `limit` or at `maxBytes`. */
  more: boolean;
  /** The number of entries in the claim if it ended at `maxBytes`; otherwise undefined. */
  cutAt: number | undefined;
}

export interface ClaimRequest {
  token: string;
  limit: number;
  maxBytes: number;
  leaseSeconds: number;
}

/**
 * Leases due entries, oldest first: PENDING entries, and IN_FLIGHT entries whose lease has expired. The claim ends at
 * `limit` entries, or earlier once their events reach `maxBytes`. The inner select is materialised so that SKIP LOCKED
 * and LIMIT apply once. `token` must be new for every claim, because it is the only proof of the lease (I4). All times
 * are PostgreSQL's. An entry with a revision counts as a sixteenth of `maxBytes`, because its size is not read here.
 *
 * The commit does not wait for the disk. If a crash of PostgreSQL undoes a claim, the entries are claimed again, and the
 * old token closes nothing. If the response to a claim is lost, its lease expires.
 */
export async function claimDueEntries(pool: Pool, claim: ClaimRequest): Promise<Claim> {
  const statement = { name: 'claim-due-entries', ...claimStatement(claim) };
  const { rows } = await queryWithSettings<ClaimedRow>(pool, CLAIM_SETTINGS, statement);
  const due = rows[0]?.due ?? 0;
  const { found, missing } = await withRevisions(pool, rows);
  return {
    entries: found.map(toEntry),
    orphans: missing.map(({ entryId, createdAt }) => ({ id: entryId, createdAt })),
    more: due === claim.limit || rows.length < due,
    cutAt: rows.length < due ? rows.length : undefined,
  };
}

/**
 * When the statistics still describe an empty outbox, the planner expects almost no open entries. It then chose hash
 * joins that read whole partitions, and each claim sorted the whole backlog: with 100,000 entries, 33 µs per claimed
 * entry instead of 23 µs in index order. These settings, `any (array(...))` and `offset 0` make it use the indexes.
 */
export const CLAIM_SETTINGS = `set local synchronous_commit = off; set local enable_bitmapscan = off;
  set local enable_sort = off; set local enable_seqscan = off`;

const BYTES = 'case when due.revision is null then coalesce(e.size_bytes, 0) else $4 / 16 end';

/** Exported for the test of its plan. */
export const claimStatement = (claim: ClaimRequest): { text: string; values: unknown[] } => ({
  text: `
      with due as materialized (
        select id, created_at, event_id, destination, dispatch_no, generation, revision, attempts from outbox
         where closed_at is null
           and (status = 'PENDING' and (next_attempt_at is null or next_attempt_at <= now())
                or status = 'IN_FLIGHT' and lock_acquired_at < now() - make_interval(secs => $3))
         order by id limit $2
           for update skip locked
      ), read as materialized (
        select due.id as entry_id, due.created_at, due.destination, due.dispatch_no, due.generation, due.revision,
               due.attempts, e.*, sum(${BYTES}) over (order by due.id) - ${BYTES} as bytes_before
          from due left join lateral (
                 select id, tenant_id, events.event_id as producers_id, type, subject, partition_key, occurred_at,
                        received_at, payload, extensions, source, schema_version, spec_version, hash, correlation_id,
                        traceparent, size_bytes, source_id
                   from events where id = due.event_id offset 0) e on true
      ), leased as (
        update outbox set status = 'IN_FLIGHT', lock_owner = $1, lock_acquired_at = now()
         where id = any (array(select entry_id from read where bytes_before < $4))
           and created_at between (select min(created_at) from due) and (select max(created_at) from due)
      )
      select entry_id as "entryId", created_at as "createdAt", destination, dispatch_no as "dispatchNo",
             abs(generation) as generation, revision, attempts, id, tenant_id as "tenantId", producers_id as "eventId", type, subject,
             partition_key as "partitionKey", occurred_at as "occurredAt", received_at as "receivedAt",
             payload as "payloadJson", extensions as "extensionsJson", source, schema_version as "schemaVersion",
             spec_version as "specVersion", encode(hash, 'hex') as hash, correlation_id as "correlationId", traceparent,
             size_bytes as "sizeBytes", source_id as "sourceId",
             (select count(*) from due)::integer as due, ${HISTORY} as history
        from read where bytes_before < $4 order by entry_id`,
  values: [claim.token, claim.limit, claim.leaseSeconds, claim.maxBytes],
});

const toEntry = (row: ClaimedRow): ClaimedEntry => ({
  id: row.entryId,
  createdAt: row.createdAt,
  destination: row.destination,
  dispatchNo: row.dispatchNo,
  generation: row.generation,
  revision: row.revision,
  attempts: row.attempts,
  history: row.history,
  event: row,
});

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
