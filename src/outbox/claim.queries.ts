import type { Db } from '../db/pool';
import type { Event } from '../event/event';
import type { ClaimedEntry } from './outbox-entry';

type ClaimedRow = Omit<ClaimedEntry, 'event'> & Event & { entryId: string };

/**
 * Leases up to `limit` due entries, oldest first: PENDING ones, and IN_FLIGHT ones whose lease has run out. The inner
 * select is materialised so that SKIP LOCKED and LIMIT are applied once. `token` must be fresh for every claim: it is
 * the only proof of the lease (I4). All times are PostgreSQL's.
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
        update outbox o set status = 'IN_FLIGHT', lock_owner = $1, lock_acquired_at = now()
          from due where o.id = due.id and o.created_at = due.created_at
        returning o.id, o.event_id, o.destination, o.dispatch_no, o.generation
      )
      select c.id as "entryId", c.destination, c.dispatch_no as "dispatchNo", c.generation,
             e.id, e.tenant_id as "tenantId", e.event_id as "eventId", e.type, e.subject,
             e.partition_key as "partitionKey", e.occurred_at as "occurredAt", e.received_at as "receivedAt",
             e.payload as "payloadJson", e.source, e.schema_version as "schemaVersion",
             e.spec_version as "specVersion", encode(e.hash, 'hex') as hash, e.correlation_id as "correlationId",
             e.traceparent, e.size_bytes as "sizeBytes"
        from claimed c join events e on e.id = c.event_id
       order by c.id`,
    values: [claim.token, claim.limit, claim.leaseSeconds],
  });
  return rows.map(({ entryId, destination, dispatchNo, generation, ...event }) => ({
    id: entryId,
    destination,
    dispatchNo,
    generation,
    event,
  }));
}

/** I3, I4: only what the broker confirmed, and only while the lease is held. Returns how many rows still held it. */
export async function markPublished(db: Db, token: string, ids: readonly string[]): Promise<number> {
  const { rowCount } = await db.query({
    name: 'mark-published',
    text: `update outbox set status = 'PUBLISHED', closed_at = now()
            where id = any ($2::bigint[]) and lock_owner = $1 and status = 'IN_FLIGHT'`,
    values: [token, ids],
  });
  return rowCount ?? 0;
}

/** Gives entries back that were not confirmed. `countsAsAttempt` is false when the broker was to blame (I9). */
export async function releaseEntries(
  db: Db,
  release: { token: string; ids: readonly string[]; reason: string; waitSeconds: number; countsAsAttempt: boolean },
): Promise<number> {
  const { rowCount } = await db.query({
    name: 'release-entries',
    text: `update outbox
              set status = 'PENDING', lock_owner = null, last_error = $3, attempts = attempts + $5,
                  next_attempt_at = case when $4 > 0 then now() + make_interval(secs => $4) end
            where id = any ($2::bigint[]) and lock_owner = $1 and status = 'IN_FLIGHT'`,
    values: [release.token, release.ids, release.reason, release.waitSeconds, release.countsAsAttempt ? 1 : 0],
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
