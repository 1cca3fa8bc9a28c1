import type { Db } from '../db/pool';
import { MOST_CONDITIONS, type Condition, type ConditionKind } from './condition';

/** Reads the raised conditions of a kind. */
export async function readConditions(db: Db, kind: ConditionKind): Promise<Condition[]> {
  const { rows } = await db.query<Condition>(
    `select subject, tenant_id as "tenantId", name, state, incident, since,
            extract(epoch from now() - clearing_since)::float8 as "clearingSeconds"
       from operator_conditions where kind = $1 order by raised_at, subject limit $2`,
    [kind, MOST_CONDITIONS],
  );
  return rows;
}

export type RaisedCondition = Omit<Condition, 'clearingSeconds'>;

/** Stores conditions that are raised now. The caller holds the lock of the chore. */
export async function insertConditions(
  db: Db,
  kind: ConditionKind,
  conditions: readonly RaisedCondition[],
): Promise<void> {
  if (conditions.length === 0) return;
  await db.query(
    `insert into operator_conditions (kind, subject, state, incident, tenant_id, name, since)
     select $1, subject, state, incident, tenant_id, name, since
       from json_to_recordset($2::json) as t (subject text, state text, incident uuid, tenant_id text, name text,
                                              since timestamptz)
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
