import type { Pool } from 'pg';
import { HISTORY } from '../db/history/history.queries';
import type { Event } from '../event/event';
import { withRevisions } from '../revisions/with-revisions';
import { giveBackEntries, leaseOf, type EntryKey } from './close-entries.queries';
import { leaseDueEntries, type LeasedEntry, type LeaseRequest } from './lease-entries.queries';
import type { ClaimedEntry } from './outbox-entry';

export interface ClaimRequest extends LeaseRequest {
  maxBytes: number;
}

/** The result of one claim. */
export interface Claim {
  entries: ClaimedEntry[];
  /** Entries without a stored event: it was deleted by hand, or a restore was incomplete. */
  orphans: EntryKey[];
  /** True if more entries may be due: the claim ended at `limit` or at `maxBytes`, or did not look at all tenants. */
  more: boolean;
  /** The number of entries in the claim if it ended at `maxBytes`; otherwise undefined. */
  cutAt: number | undefined;
  /** As LeasedEntries. */
  lastLane: string | undefined;
  resting: ReadonlySet<string>;
}

/**
 * Leases due entries (lease-entries.queries.ts) and reads their events. The claim ends at `limit` entries, or earlier once
 * their events reach `maxBytes`, counted in turns; the last one may exceed it. What was leased beyond that is given back.
 * Reading comes after the lease, so that both statements have plans that PostgreSQL can run.
 */
export async function claimDueEntries(pool: Pool, { maxBytes, ...request }: ClaimRequest): Promise<Claim> {
  const { entries: leased, ...lanes } = await leaseDueEntries(pool, request);
  if (leased.length === 0) return { entries: [], orphans: [], more: false, cutAt: undefined, ...lanes };
  const read = await readEvents(pool, leased, maxBytes);
  const isCut = read.length < leased.length;
  if (isCut) await giveBackEntries(pool, leaseOf(request.token, leased.slice(read.length)));
  const { found, missing } = await withRevisions(
    pool,
    read.map((event, i) => withEntry(event, leased[i] as LeasedEntry)),
  );
  return {
    entries: found.map(({ entry, history, ...event }) => ({ ...entry, history, event })),
    orphans: missing.map(({ entry }) => entry),
    more: leased.length >= request.limit || isCut || lanes.lastLane !== undefined,
    cutAt: isCut ? read.length : undefined,
    ...lanes,
  };
}

/** The event of an entry. All of it but `history` is null if the event is no longer stored. */
type ReadEvent = Event & Pick<ClaimedEntry, 'history'>;

const withEntry = (event: ReadEvent, entry: LeasedEntry) => ({ ...event, revision: entry.revision, entry });

/**
 * Reads the events of the first entries, until they reach `maxBytes`. An entry with a revision counts as a sixteenth of
 * that, because its size is not read here.
 */
async function readEvents(pool: Pool, entries: readonly LeasedEntry[], maxBytes: number): Promise<ReadEvent[]> {
  const bytes = 'case when asked.is_revised then $3::bigint / 16 else coalesce(e.size_bytes, 0) end';
  const { rows } = await pool.query<ReadEvent>({
    name: 'read-claimed-events',
    text: `
      select id, tenant_id as "tenantId", producers_id as "eventId", type, subject, partition_key as "partitionKey",
             occurred_at as "occurredAt", received_at as "receivedAt", payload as "payloadJson",
             extensions as "extensionsJson", source, schema_version as "schemaVersion", spec_version as "specVersion",
             encode(hash, 'hex') as hash, correlation_id as "correlationId", traceparent, size_bytes as "sizeBytes",
             source_id as "sourceId", ${HISTORY} as history
        from (select asked.n, e.*, sum(${bytes}) over (order by asked.n) - ${bytes} as bytes_before
                from unnest($1::uuid[], $2::boolean[]) with ordinality asked (event_id, is_revised, n)
                left join lateral (
                       select id, tenant_id, events.event_id as producers_id, type, subject, partition_key, occurred_at,
                              received_at, payload, extensions, source, schema_version, spec_version, hash,
                              correlation_id, traceparent, size_bytes, source_id
                         from events where id = asked.event_id offset 0) e on true) sized
       where bytes_before < $3 order by n`,
    values: [entries.map(({ eventId }) => eventId), entries.map(({ revision }) => revision !== null), maxBytes],
  });
  return rows;
}
