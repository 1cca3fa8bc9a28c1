import type { Db } from '../db/pool';

/** Counts stop at this number, to bound their cost. */
export const BACKLOG_CAP = 100_000;

export interface OutboxFigures {
  /** Each count is at most BACKLOG_CAP. */
  pending: number;
  inFlight: number;
  failed: number;
  /** null if no entry is open. */
  oldestOpenSeconds: number | null;
}

/** Tenants whose oldest entry is looked at. */
const MOST_LANES = 1_000;

/** Reads only the two small partial indexes, so its cost does not depend on the number of published entries. */
export async function readOutboxFigures(db: Db): Promise<OutboxFigures> {
  const { rows } = await db.query<OutboxFigures>({
    name: 'read-outbox-figures',
    text: `
      with recursive lane (tenant_id, created_at, n) as (
        (select tenant_id, created_at, 1 from outbox where closed_at is null order by tenant_id, id limit 1)
        union all
        select next.tenant_id, next.created_at, n + 1
          from lane cross join lateral (
            select o.tenant_id, o.created_at from outbox o
             where closed_at is null and o.tenant_id > lane.tenant_id order by o.tenant_id, o.id limit 1) next
         where n < ${MOST_LANES}
      )
      select coalesce(sum((status = 'PENDING')::integer), 0)::integer as pending,
             coalesce(sum((status = 'IN_FLIGHT')::integer), 0)::integer as "inFlight",
             (select count(*)::integer from (select from outbox where failed_at is not null limit $1) f) as failed,
             (select greatest(extract(epoch from now() - min(created_at)), 0)::float8 from lane having count(*) > 0) as "oldestOpenSeconds"
        from (select status from outbox where closed_at is null limit $1) as o`,
    values: [BACKLOG_CAP],
  });
  return rows[0] as OutboxFigures;
}

export interface RetryFigures {
  /** At most BACKLOG_CAP. */
  waiting: number;
  /** For how long the first of them is due; null if none is due yet. */
  oldestDueSeconds: number | null;
}

/** Counts the events that wait for another attempt of their handlers. */
export async function readRetryFigures(db: Db): Promise<RetryFigures> {
  const { rows } = await db.query<RetryFigures>({
    name: 'read-retry-figures',
    text: `
      select (select count(*)::integer from (select from retry_schedule limit $1) r) as waiting,
             (select extract(epoch from now() - due_at)::float8
                from retry_schedule where due_at <= now() order by due_at limit 1) as "oldestDueSeconds"`,
    values: [BACKLOG_CAP],
  });
  return rows[0] as RetryFigures;
}

/** Counts the open outbox entries of a tenant, or of all (null), up to `most`. */
export async function countOpenEntries(db: Db, tenantId: string | null, most: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select count(*)::int as n
       from (select from outbox where closed_at is null ${tenantId === null ? '' : 'and tenant_id = $2'} limit $1) open`,
    tenantId === null ? [most] : [most, tenantId],
  );
  return rows[0]?.n ?? 0;
}

const DEAD_LETTERS_CAP = 10_000;

/** Counts the unresolved dead letters, up to DEAD_LETTERS_CAP. */
export async function countDeadLetters(db: Db): Promise<number> {
  const { rows } = await db.query<{ size: number }>({
    name: 'count-dead-letters',
    text: `
      select count(*)::integer as size
        from (select from dead_letters where resolved_at is null limit $1) waiting`,
    values: [DEAD_LETTERS_CAP],
  });
  return rows[0]?.size ?? 0;
}
