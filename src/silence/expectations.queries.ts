import type { Db } from '../db/pool';
import type { SilenceRule } from './silence-rule';

/** What is expected of the events of a type. */
export interface Expectation extends SilenceRule {
  tenantId: string;
  eventType: string;
  createdAt: string;
  updatedAt: string;
}

const COLUMNS = `tenant_id as "tenantId", event_type as "eventType", expect_every_seconds as "expectEverySeconds",
  active_hours as "activeHours", learn_silence as "learnSilence", created_at as "createdAt", updated_at as "updatedAt"`;

export async function listExpectations(db: Db, tenantId: string, limit: number): Promise<Expectation[]> {
  const { rows } = await db.query<Expectation>(
    `select ${COLUMNS} from silence_expectations where tenant_id = $1 order by event_type limit $2`,
    [tenantId, limit],
  );
  return rows;
}

export interface ExpectationCounts {
  ofTenant: number;
  learning: number;
}

/** Counts the expectations, and those that are learned, besides that of one type. The caller has locked them. */
export async function countExpectations(db: Db, tenantId: string, besides: string): Promise<ExpectationCounts> {
  const { rows } = await db.query<ExpectationCounts>(
    `select (count(*) filter (where tenant_id = $1))::integer as "ofTenant",
            (count(*) filter (where learn_silence))::integer as learning
       from silence_expectations where (tenant_id, event_type) <> ($1, $2)`,
    [tenantId, besides],
  );
  return rows[0] as ExpectationCounts;
}

/** Two changes at the same time wait for each other, so that they cannot both take the last place. */
export async function lockExpectations(db: Db): Promise<void> {
  await db.query('lock table silence_expectations in share row exclusive mode');
}

export async function putExpectation(
  db: Db,
  { tenantId, eventType, expectEverySeconds, activeHours, learnSilence }: Omit<Expectation, 'createdAt' | 'updatedAt'>,
): Promise<Expectation> {
  const { rows } = await db.query<Expectation>(
    `insert into silence_expectations (tenant_id, event_type, expect_every_seconds, active_hours, learn_silence)
     values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, event_type) do update
           set expect_every_seconds = excluded.expect_every_seconds, active_hours = excluded.active_hours,
               learn_silence = excluded.learn_silence, updated_at = now()
     returning ${COLUMNS}`,
    [tenantId, eventType, expectEverySeconds, activeHours && JSON.stringify(activeHours), learnSilence],
  );
  return rows[0] as Expectation;
}

export async function deleteExpectation(db: Db, tenantId: string, eventType: string): Promise<number> {
  const { rowCount } = await db.query('delete from silence_expectations where tenant_id = $1 and event_type = $2', [
    tenantId,
    eventType,
  ]);
  return rowCount ?? 0;
}

/** Counts the sources that are learned from. */
export async function countLearningSources(db: Db): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    'select count(*)::integer as count from sources where learn_silence',
  );
  return rows[0]?.count ?? 0;
}
