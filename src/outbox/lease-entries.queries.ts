import type { Pool } from 'pg';
import { queryWithSettings } from '../db/pool';
import type { ClaimedEntry } from './outbox-entry';

/** An entry whose lease we hold. Its event is not read yet. */
export type LeasedEntry = Omit<ClaimedEntry, 'event' | 'history'> & { eventId: string };

/** Entries that a tenant gets in a claim while its handlers fail. */
const MOST_OF_RESTING = 10;
/** After its rest, a tenant is still known as one whose handlers fail for so long. */
const STILL_RESTING = `interval '10 seconds'`;
/** A rest that ends later than workers may ask for was noted before PostgreSQL's clock was set back. */
const MOST_REST = `interval '15 seconds'`;

/** The leased entries in turns: the first of each tenant, then the second of each. */
export interface LeasedEntries {
  entries: LeasedEntry[];
  /** The last tenant that was looked at, where others may have entries too; otherwise undefined. */
  lastLane: string | undefined;
  /** Tenants whose handlers fail and that got entries. They get no more for some time (resting-tenants.ts). */
  resting: ReadonlySet<string>;
}

export interface LeaseRequest {
  token: string;
  /** Tenants that get nothing. */
  without: readonly string[];
  /** The tenants after this one are looked at first; '' if it makes no difference. */
  afterLane: string;
  limit: number;
  leaseSeconds: number;
}

/**
 * Tenants that are looked at. With more of them, the next claim looks at the others first. Each costs about 20 µs of
 * PostgreSQL, so a claim of 64 tenants with one entry each still costs less than publishing it.
 */
const MOST_LANES = 64;

/**
 * Leases due entries: PENDING entries, and IN_FLIGHT entries whose lease has expired. Each tenant has a lane, and gets
 * its share of `limit` by its weight, oldest entry first. What some leave of their shares goes to those that have more. A
 * fresh entry therefore waits for one claim, however many entries another tenant has. Entries of the build before have
 * no tenant, and share the lane ''.
 *
 * A tenant whose handlers fail (tenant-rests.queries.ts) gets nothing while it rests, and a few entries after that, until
 * nobody has noted a rest of it for some time.
 *
 * Each share is at least one entry, so a claim may exceed `limit` by one entry for each small weight. SKIP LOCKED skips what
 * other claims lease at this moment. `token` must be new for every claim, because it is the only
 * proof of the lease (I4). All times are PostgreSQL's.
 *
 * The commit does not wait for the disk. If a crash of PostgreSQL undoes a claim, the entries are claimed again, and the
 * old token closes nothing. If the response to a claim is lost, its lease expires.
 */
export async function leaseDueEntries(pool: Pool, request: LeaseRequest): Promise<LeasedEntries> {
  const statement = { name: 'lease-due-entries', ...leaseStatement(request) };
  const { rows } = await queryWithSettings<LeasedRow>(pool, LEASE_SETTINGS, statement);
  const leased = rows.filter(hasEntry);
  const resting = new Set(leased.flatMap(({ restingTenant }) => restingTenant ?? []));
  return { entries: leased.map(toEntry), lastLane: rows[0]?.lastLane ?? undefined, resting };
}

/** Nothing leased gives one row, without an `id`. */
type LeasedRow = Omit<LeasedEntry, 'id'> & { id: string | null; lastLane: string | null; restingTenant: string | null };

/**
 * When the statistics still describe an empty outbox, the planner expects almost no open entries. It then chose hash
 * joins that read whole partitions, and each claim sorted the whole backlog: with 100,000 entries, 33 µs per claimed
 * entry instead of 23 µs in index order. These settings and `any (array(...))` make it use the indexes.
 */
export const LEASE_SETTINGS = `set local synchronous_commit = off; set local enable_bitmapscan = off;
  set local enable_sort = off; set local enable_seqscan = off`;

/** The next tenant with open entries after that of `lane`, and its first entry. After the last one comes the first. */
const NEXT_LANE = `
         (select o.tenant_id, o.id, lane.is_second from outbox o
           where closed_at is null and o.tenant_id > lane.tenant_id order by o.tenant_id, o.id limit 1)
         union all
         (select o.tenant_id, o.id, true from outbox o
           where closed_at is null and not lane.is_second order by o.tenant_id, o.id limit 1)
         limit 1`;

/** Due entries of `lane`, with their turns. */
const entriesOf = (lane: string, asked: { ids: string; most: string; turnsBefore: string }): string => `
         select locked.*, ${lane}.tenant_id as lane, ${lane}.is_resting, (${asked.turnsBefore} + row_number() over ())::double precision / ${lane}.weight as turn
           from (select id, created_at, event_id, destination, dispatch_no, generation, revision, attempts from outbox
                  where tenant_id = ${lane}.tenant_id and closed_at is null and id ${asked.ids}
                    and (status = 'PENDING' and (next_attempt_at is null or next_attempt_at <= now())
                         or status = 'IN_FLIGHT' and lock_acquired_at < now() - make_interval(secs => $3))
                  order by id limit ${asked.most}
                    for update skip locked) locked`;

/**
 * Exported for the test of its plan. It names no column by which a partition could be left out at run time, and no other
 * partitioned table: PostgreSQL 18.4 crashed when it did that in a statement that also had to check again a row which
 * another one had changed meanwhile.
 */
export const leaseStatement = (request: LeaseRequest): { text: string; values: unknown[] } => ({
  text: `
      with recursive lane (tenant_id, first_id, is_second, n) as (
        select $4::text, null::bigint, false, 0
        union all
        select next.tenant_id, next.id, next.is_second, n + 1
          from lane cross join lateral (${NEXT_LANE}) next
         where n < least($2, ${MOST_LANES}) and not (next.is_second and next.tenant_id > $4)
      ), weighed as materialized (
        select lane.*, coalesce(t.weight, 1) as weight, r.rests_until > now() or lane.tenant_id = any ($5) as is_left_out,
               r.tenant_id is not null as is_resting
          from lane left join tenants t on t.id = lane.tenant_id
               left join tenant_rests r on r.tenant_id = lane.tenant_id
                     and r.rests_until > now() - ${STILL_RESTING} and r.rests_until < now() + ${MOST_REST}
         where n > 0
      ), share as materialized (
        select weighed.*, greatest(1, case when is_resting then least($2 / (2 * count(*) filter (where is_resting) over ()), ${MOST_OF_RESTING})
                 else floor($2 * weight / sum(weight) filter (where not is_resting) over ()) end)::integer as size
          from weighed where is_left_out is not true
      ), first as materialized (
        select entry.* from share cross join lateral (${entriesOf('share', { ids: '>= share.first_id', most: 'share.size', turnsBefore: '0' })}
         ) entry
      ), got as materialized (
        select lane, count(*) as entries, max(id) as last_id from first group by lane
      ), longer as materialized (
        select share.tenant_id, share.is_resting, share.weight, share.size, got.last_id,
               greatest(0, ceil(($2 - (select count(*) from first)) * share.weight / sum(share.weight) over ()))::integer as further
          from share join got on got.lane = share.tenant_id and got.entries = share.size
         where not share.is_resting
      ), due as materialized (
        select * from first
        union all
        (select entry.* from longer cross join lateral (${entriesOf('longer', { ids: '> longer.last_id', most: 'longer.further', turnsBefore: 'longer.size' })}
         ) entry limit greatest(0, $2 - (select count(*) from first)))
      ), leased as (
        update outbox set status = 'IN_FLIGHT', lock_owner = $1, lock_acquired_at = now()
         where id = any (array(select id from due))
      )
      select id, created_at as "createdAt", event_id as "eventId", destination, dispatch_no as "dispatchNo",
             abs(generation) as generation, revision, attempts, "lastLane",
             case when is_resting then lane end as "restingTenant"
        from (select (select tenant_id from weighed where n = least($2, ${MOST_LANES})) as "lastLane") looked
        left join due on true order by turn, id`,
  values: [request.token, request.limit, request.leaseSeconds, request.afterLane, request.without],
});

const hasEntry = (row: LeasedRow): row is LeasedRow & { id: string } => row.id !== null;

function toEntry({ lastLane: _, restingTenant: __, ...entry }: LeasedRow & { id: string }): LeasedEntry {
  return entry;
}
