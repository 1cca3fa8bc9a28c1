import type { Db } from '../db/pool';
import type { Event } from '../event/event';
import type { ClaimedEntry } from './outbox-entry';

type ClaimedRow = Omit<ClaimedEntry, 'event'> & Event & { entryId: string };

/**
 * Entries of one claim, or some of them. `token` proves the lease (I4). The bounds tell PostgreSQL in which partitions
 * they lie, so that it does not look for every id in each.
 */
export interface Lease {
  token: string;
  ids: readonly string[];
  oldestCreatedAt: string;
  newestCreatedAt: string;
}

/** These entries of a claim. Instants are cut to milliseconds, which HELD allows for. */
export function leaseOf(token: string, entries: readonly ClaimedEntry[]): Lease {
  const instants = entries.map(({ createdAt }) => createdAt).sort();
  return {
    token,
    ids: entries.map(({ id }) => id),
    oldestCreatedAt: instants[0] ?? '',
    newestCreatedAt: instants.at(-1) ?? '',
  };
}

/** I4: still ours. $1 token, $2 ids, $3 and $4 bounds. */
const HELD = `id = any ($2::bigint[]) and lock_owner = $1 and status = 'IN_FLIGHT'
              and created_at >= $3::timestamptz and created_at < $4::timestamptz + interval '1 millisecond'`;
const held = ({ token, ids, oldestCreatedAt, newestCreatedAt }: Lease): unknown[] => [
  token,
  ids,
  oldestCreatedAt,
  newestCreatedAt,
];

/**
 * Leases up to `limit` due entries, oldest first: PENDING ones, and IN_FLIGHT ones whose lease has run out. The inner
 * select is materialised so that SKIP LOCKED and LIMIT are applied once. `token` must be fresh for every claim: it is
 * the only proof of the lease (I4). All times are PostgreSQL's.
 *
 * `any (array(...))` and `offset 0` leave the planner no way but the indexes: with the statistics of an outbox that was
 * empty a minute ago it took hash joins that read whole partitions.
 */
export async function claimDueEntries(
  db: Db,
  claim: { token: string; limit: number; leaseSeconds: number },
): Promise<ClaimedEntry[]> {
  const { rows } = await db.query<ClaimedRow>({
    name: 'claim-due-entries',
    text: `
      with due as materialized (
        select id, created_at from outbox
         where closed_at is null
           and (status = 'PENDING' and (next_attempt_at is null or next_attempt_at <= now())
                or status = 'IN_FLIGHT' and lock_acquired_at < now() - make_interval(secs => $3))
         order by id limit $2
           for update skip locked
      ), claimed as (
        update outbox set status = 'IN_FLIGHT', lock_owner = $1, lock_acquired_at = now()
         where id = any (array(select id from due))
           and created_at between (select min(created_at) from due) and (select max(created_at) from due)
        returning id, created_at, event_id, destination, dispatch_no, generation, attempts
      )
      select c.id as "entryId", c.created_at as "createdAt", c.destination, c.dispatch_no as "dispatchNo",
             c.generation, c.attempts, e.id, e.tenant_id as "tenantId", e.event_id as "eventId", e.type, e.subject,
             e.partition_key as "partitionKey", e.occurred_at as "occurredAt", e.received_at as "receivedAt",
             e.payload as "payloadJson", e.source, e.schema_version as "schemaVersion",
             e.spec_version as "specVersion", encode(e.hash, 'hex') as hash, e.correlation_id as "correlationId",
             e.traceparent, e.size_bytes as "sizeBytes"
        from claimed c cross join lateral (select * from events where id = c.event_id offset 0) e
       order by c.id`,
    values: [claim.token, claim.limit, claim.leaseSeconds],
  });
  return rows.map(({ entryId, createdAt, destination, dispatchNo, generation, attempts, ...event }) => ({
    id: entryId,
    createdAt,
    destination,
    dispatchNo,
    generation,
    attempts,
    event,
  }));
}

/** I3, I4: only what the broker confirmed, and only while the lease is held. Returns how many rows still held it. */
export async function markPublished(db: Db, lease: Lease): Promise<number> {
  const { rowCount } = await db.query({
    name: 'mark-published',
    text: `update outbox set status = 'PUBLISHED', closed_at = now(), last_error = null where ${HELD}`,
    values: held(lease),
  });
  return rowCount ?? 0;
}

/** Gives entries back that were not confirmed. `unroutable` counts; nothing else is the entry's fault (I9). */
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

/** Closes entries that the broker will never take as they are. An operator sees and may requeue them. */
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

/** Ends every lease taken before `before`. Safe at any time, since the fence keeps a late holder from closing. */
export async function releaseLeasesTakenBefore(db: Db, before: string): Promise<number> {
  const { rowCount } = await db.query(
    `update outbox set status = 'PENDING', lock_owner = null
      where closed_at is null and status = 'IN_FLIGHT' and lock_acquired_at < $1`,
    [before],
  );
  return rowCount ?? 0;
}
