import type { TenantScope } from '../access/tenant-scope';
import type { Db } from '../db/pool';
import { MANY, MOST_CONDITIONS, type About, type Condition, type ConditionKind, type Figures } from './condition';

/** Reads the raised conditions of a kind. */
export async function readConditions(db: Db, kind: ConditionKind): Promise<Condition[]> {
  const { rows } = await db.query<Condition>(
    `select subject, tenant_id as "tenantId", name, state, incident, since,
            extract(epoch from now() - clearing_since)::float8 as "clearingSeconds", flapping as "isFlapping"
       from operator_conditions where kind = $1 order by raised_at, subject limit $2`,
    [kind, MOST_CONDITIONS],
  );
  return rows;
}

export type RaisedCondition = Omit<Condition, 'clearingSeconds'> & { figures: Figures };

/** Stores conditions that are raised now. The caller holds the lock of the chore. */
export async function insertConditions(
  db: Db,
  kind: ConditionKind,
  conditions: readonly RaisedCondition[],
): Promise<void> {
  if (conditions.length === 0) return;
  await db.query(
    `insert into operator_conditions (kind, subject, state, incident, tenant_id, name, since, figures, flapping)
     select $1, subject, state, incident, tenant_id, name, since, figures, "isFlapping"
       from json_to_recordset($2::json) as t (subject text, state text, incident uuid, tenant_id text, name text,
                                              since timestamptz, figures jsonb, "isFlapping" boolean)
     on conflict (kind, subject) do nothing`,
    [kind, JSON.stringify(conditions.map(({ tenantId, ...rest }) => ({ ...rest, tenant_id: tenantId })))],
  );
}

/** Notes that conditions hold again, or no longer. */
export async function markClearing(
  db: Db,
  kind: ConditionKind,
  subjects: readonly string[],
  isClearing: boolean,
): Promise<void> {
  if (subjects.length === 0) return;
  await db.query(
    `update operator_conditions set clearing_since = case when $3 then now() end
      where kind = $1 and subject = any ($2)`,
    [kind, subjects, isClearing],
  );
}

export async function deleteConditions(db: Db, kind: ConditionKind, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return;
  await db.query('delete from operator_conditions where kind = $1 and subject = any ($2)', [kind, subjects]);
}

/** How long a raise is remembered, in seconds. */
const REMEMBERED_SECONDS = 3_600;
const MOST_FORGOTTEN = 1_000;

/** Records that these subjects are raised now. Returns how often each was raised within the last hour, this time included. */
export async function recordRaises(
  db: Db,
  kind: ConditionKind,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (subjects.length === 0) return new Map();
  const { rows } = await db.query<{ subject: string; raises: number }>(
    `with raised as (
       insert into condition_raises (kind, subject) select $1, unnest($2::text[])
       on conflict (kind, subject, raised_at) do nothing
     )
     select subject, (1 + (select count(*) from condition_raises r
                            where r.kind = $1 and r.subject = s.subject
                              and r.raised_at > now() - make_interval(secs => $3)))::integer as raises
       from unnest($2::text[]) as s (subject)`,
    [kind, subjects, REMEMBERED_SECONDS],
  );
  return new Map(rows.map(({ subject, raises }) => [subject, raises]));
}

export async function forgetRaises(db: Db): Promise<void> {
  await db.query(
    `delete from condition_raises where (kind, subject, raised_at) in (
       select kind, subject, raised_at from condition_raises where raised_at < now() - make_interval(secs => $1)
        limit $2 for update skip locked)`,
    [REMEMBERED_SECONDS, MOST_FORGOTTEN],
  );
}

/** Keeps what was read last of conditions that are raised. */
export async function keepFigures(
  db: Db,
  kind: ConditionKind,
  read: readonly { subject: string; figures: Figures }[],
): Promise<void> {
  if (read.length === 0) return;
  await db.query(
    `update operator_conditions c set figures = t.figures
       from json_to_recordset($2::json) as t (subject text, figures jsonb)
      where c.kind = $1 and c.subject = t.subject and c.figures is distinct from t.figures`,
    [kind, JSON.stringify(read.map(({ subject, figures }) => ({ subject, figures })))],
  );
}

/** A condition that is raised, for those who list them. */
export interface ListedCondition extends About {
  kind: ConditionKind;
  /** UUIDv7. */
  incident: string;
  since: string;
  raisedAt: string;
  /** Since when it no longer holds; null while it holds. */
  clearingSince: string | null;
  flapping: boolean;
  /** How many it stands for. */
  count: number;
  /** Null: a build raised it that kept none. */
  figures: Figures | null;
}

/**
 * Lists the conditions of these kinds that are raised, the last one first. What stands for many belongs to no tenant. So
 * where tenants are asked for, those that it stands for are listed, and elsewhere it alone.
 * @param before an incident: the page begins below it
 */
export async function listConditions(
  db: Db,
  kinds: readonly string[],
  { tenantId, tenantIds, before, limit }: TenantScope & { before: string | undefined; limit: number },
): Promise<ListedCondition[]> {
  const { rows } = await db.query<ListedCondition>(
    `select kind, subject, tenant_id as "tenantId", name, incident, since, raised_at as "raisedAt",
            clearing_since as "clearingSince", figures, flapping,
            case when subject = $6 then (select count(*)::integer from operator_conditions j
                                          where j.kind = c.kind and j.state = 'joined')
                 else 1 end as count
       from operator_conditions c
      where kind = any ($1) and ($2::text is null or tenant_id = $2) and ($3::text[] is null or tenant_id = any ($3))
        and (state = 'raised' or $2 is not null or $3 is not null) and ($4::uuid is null or incident < $4)
      order by incident desc limit $5`,
    [kinds, tenantId, tenantIds, before ?? null, limit, MANY],
  );
  return rows;
}
