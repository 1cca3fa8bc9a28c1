import type { Role } from '../config/roles';
import type { Db } from '../db/pool';

type Need = [table: string, right: 'select' | 'insert' | 'update'];

/** Without these a role can do nothing of its work. What else is missing is met by its statements (outages.ts). */
const NEEDS: Readonly<Record<Role, readonly Need[]>> = {
  api: [
    ['events', 'insert'],
    ['idempotency_keys', 'insert'],
    ['outbox', 'insert'],
  ],
  publisher: [
    ['events', 'select'],
    ['outbox', 'update'],
  ],
  worker: [
    ['events', 'select'],
    ['processing_attempts', 'insert'],
  ],
};

export interface PostgresState {
  isReadOnly: boolean;
  /** Tables that these roles need and that are not there. */
  missing: number;
  /** Tables on which a right is missing. */
  refused: number;
}

/** Looks whether processes of these roles can do their work. Takes no lock on the tables. */
export async function readPostgresState(db: Db, roles: readonly Role[]): Promise<PostgresState> {
  const needs: readonly Need[] = [['installation', 'select'], ...roles.flatMap((role) => NEEDS[role])];
  const { rows } = await db.query<PostgresState>(
    `select current_setting('transaction_read_only') = 'on' as "isReadOnly",
            (count(*) filter (where t.id is null))::int as missing,
            (count(*) filter (where not has_table_privilege(t.id, t.needed)))::int as refused
       from (select to_regclass(n.name)::oid as id, n.needed
               from unnest($1::text[], $2::text[]) as n (name, needed)) t`,
    [needs.map(([table]) => table), needs.map(([, right]) => right)],
  );
  return rows[0] as PostgresState;
}
