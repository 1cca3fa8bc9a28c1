import type { Db } from '../db/pool';

/** Maximum number of tenants that one search visits. Bounds the time of its statement. */
const MOST_TENANTS = 5_000;

export interface TenantsFound {
  /** Tenants that have an event with this eventId, in order, at most `limit`. */
  tenants: string[];
  /** False when there are tenants that the search did not visit. */
  isComplete: boolean;
}

/** An event as its producer names it. */
export interface NamedEvent {
  eventId: string;
  source: string | undefined;
}

/**
 * Finds the tenants that have an event with a producer's eventId. No index begins with the eventId, because only
 * operators look for an event without its tenant. The statement steps through the tenants in the index
 * (tenant_id, id) and looks into (tenant_id, event_id) for each.
 */
export async function findTenantsWithEventId(
  db: Db,
  { eventId, source }: NamedEvent,
  limit: number,
): Promise<TenantsFound> {
  const { rows } = await db.query<{ tenants: string[]; isComplete: boolean }>(
    `with recursive visited (tenant_id, n) as (
       (select tenant_id, 1 from events order by tenant_id limit 1)
       union all
       select following.tenant_id, v.n + 1 from visited v
        cross join lateral (
          select e.tenant_id from events e where e.tenant_id > v.tenant_id order by e.tenant_id limit 1) following
        where v.n < $4
     )
     select array(
              select v.tenant_id from visited v
               where exists (select from events e where e.tenant_id = v.tenant_id and e.event_id = $1
                                and ($2::text is null or e.source = $2))
               limit $3) as tenants,
            (select count(*) < $4 from visited) as "isComplete"`,
    [eventId, source ?? null, limit, MOST_TENANTS],
  );
  return rows[0] ?? { tenants: [], isComplete: true };
}

/** Finds those of some tenants that have an event with a producer's eventId. */
export async function findTenantsOfWithEventId(
  db: Db,
  { eventId, source }: NamedEvent,
  tenantIds: readonly string[],
  limit: number,
): Promise<TenantsFound> {
  const { rows } = await db.query<{ tenants: string[] }>(
    `select array(
       select t.tenant_id from unnest($3::text[]) t (tenant_id)
        where exists (select from events e where e.tenant_id = t.tenant_id and e.event_id = $1
                         and ($2::text is null or e.source = $2))
        order by t.tenant_id limit $4) as tenants`,
    [eventId, source ?? null, tenantIds, limit],
  );
  return { tenants: rows[0]?.tenants ?? [], isComplete: true };
}
