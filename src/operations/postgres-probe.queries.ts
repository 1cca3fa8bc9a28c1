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
  /** As readWaitingCommits returns them. */
  waitingCommits: string[];
}

/** A commit that has waited this long is of no use to its caller: the request has failed, or is about to. */
const WAITED_SECONDS = 5;
const MOST_COMMITS = 20;

/**
 * SQL for the oldest commits of this account that wait for a synchronous standby, each as a text of its own. The end of
 * its client does not end such a wait; only the standby or an administrator does. Costs nothing without
 * synchronous_standby_names.
 */
const WAITING_COMMITS = `array(
  select pid || ' ' || query_start from pg_stat_activity
   where current_setting('synchronous_standby_names') <> '' and datname = current_database()
     and usename = current_user and wait_event = 'SyncRep' and query_start < clock_timestamp() - interval '${WAITED_SECONDS} seconds'
   order by query_start, pid limit ${MOST_COMMITS})`;

/** Returns the oldest commits that wait for a synchronous standby, each as a text that stays the same while it waits. */
export async function readWaitingCommits(db: Db): Promise<string[]> {
  const { rows } = await db.query<{ commits: string[] }>(`select ${WAITING_COMMITS} as commits`);
  return rows[0]?.commits ?? [];
}

/** Looks whether processes of these roles can do their work. Takes no lock on the tables. */
export async function readPostgresState(db: Db, roles: readonly Role[]): Promise<PostgresState> {
  const needs: readonly Need[] = [['installation', 'select'], ...roles.flatMap((role) => NEEDS[role])];
  const { rows } = await db.query<PostgresState>(
    `select current_setting('transaction_read_only') = 'on' as "isReadOnly",
            (count(*) filter (where t.id is null))::int as missing,
            (count(*) filter (where not has_table_privilege(t.id, t.needed)))::int as refused,
            ${WAITING_COMMITS} as "waitingCommits"
       from (select to_regclass(n.name)::oid as id, n.needed
               from unnest($1::text[], $2::text[]) as n (name, needed)) t`,
    [needs.map(([table]) => table), needs.map(([, right]) => right)],
  );
  return rows[0] as PostgresState;
}
